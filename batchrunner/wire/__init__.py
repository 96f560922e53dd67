"""The wire under the client: one request, one response, and what a failed exchange says of the money.

Who carries a request is decided here and nowhere else: our own connections (pool.py), httpx's client where
the environment names a proxy, or a transport that stands in for the network (both through_httpx.py).
See docs/decisions/0024-a-wire-of-our-own.md.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .address import read_address
from .decoding import Piece
from .messages import Body, NotSent, Request, Response, Unfinished, Wire, WireTrouble
from .pool import Connections

if TYPE_CHECKING:
    from .._httpx import httpx

__all__ = [
    "Body",
    "NotSent",
    "Piece",
    "Request",
    "Response",
    "Unfinished",
    "Wire",
    "WireTrouble",
    "read_address",
    "wire",
]


def wire(*, is_local: bool, stand_in: httpx.AsyncBaseTransport | None) -> Wire:
    """Return what carries requests; use it as an async context manager.  Proxies are for the outside only."""
    if stand_in is None and (is_local or not _are_proxies_named()):
        return Connections()
    from . import through_httpx

    return through_httpx.ByProxy() if stand_in is None else through_httpx.StandIn(stand_in)


def _are_proxies_named() -> bool:
    """Return whether a proxy is to be used; elsewhere than on Linux the system may name one, too."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return False
    from urllib.request import getproxies

    return bool(getproxies())
