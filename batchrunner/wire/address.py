"""Where does a URL lead, and what of it goes into the request?  As httpx reads it.

httpx takes a tenth of a run's start to import, and a tenth of a look's time to read an address.  Plain ones,
of which no two readers think differently, are taken apart here; all others are left to it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PORTS: Final = {"http": 80, "https": 443}

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NAME: Final = r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)*[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_SEGMENT: Final = r"/(?!\.)[A-Za-z0-9._~-]*(?:%[0-9A-F]{2}[A-Za-z0-9._~-]*)*"
_PORT: Final = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}"
_QUERY: Final = r"(?=.)[A-Za-z0-9._~=&-]*(?:%[0-9A-F]{2}[A-Za-z0-9._~=&-]*)*"

_PLAIN: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_NAME}|{_OCTET}(?:\.{_OCTET}){{3}})(?::(?P<port>{_PORT}))?"
    rf"(?P<path>(?:{_SEGMENT})+(?:\?{_QUERY})?)"
)
"""No capitals in the host, no dot segments, no escape written in another way, no user, no fragment."""


class Address(NamedTuple):
    """A URL, as far as a request needs it."""

    scheme: str
    host: str
    """In ASCII; an IPv6 address without brackets."""
    port: int | None
    """None: the scheme's own."""
    netloc: str
    """What the header Host says."""
    target: str
    """Path and query, letter by letter as they go out."""


def read_address(url: str) -> Address:
    """Take *url* apart.  Raises ValueError for what is none."""
    plain = _PLAIN.fullmatch(url)
    if plain is None:
        return _as_httpx_reads(url)
    scheme, host, path = plain["scheme"], plain["host"], plain["path"]
    port = int(plain["port"]) if plain["port"] else None
    if port == PORTS[scheme]:
        port = None
    return Address(scheme, host, port, host if port is None else f"{host}:{port}", path)


def _as_httpx_reads(url: str) -> Address:
    from .._httpx import httpx

    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    return Address(
        read.scheme,
        read.raw_host.decode("ascii"),
        read.port,
        read.netloc.decode("ascii"),
        read.raw_path.decode("ascii"),
    )
