"""Which part of the service does a request ask for?  Pure: method and path in, endpoint and argument out."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from .wire import Request


class Endpoint(StrEnum):
    """The parts of the service; faults name them with these words."""

    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    CANCEL = "cancel"
    MODELS = "models"
    CATEGORIES = "categories"
    MODEL = "model"
    BALANCE = "balance"
    FILE = "file"


class Call(Struct, frozen=True, kw_only=True):
    """A request that was understood."""

    endpoint: Endpoint
    request: Request
    name: str = ""
    """The model id or the request id it is about."""
    link: str = ""
    """For a file: the opaque part of its link."""
    number: int = 1
    """For a file: which output of the request, from 1."""


_ID = r"(?P<name>[A-Za-z0-9_-]{1,128})"

# The first that fits counts: a model id may hold slashes, so "models/categories" stands before it.
_ROUTES: Final = tuple(
    (method, re.compile(pattern), endpoint)
    for method, pattern, endpoint in (
        ("POST", r"/v1/models/(?P<name>.+)", Endpoint.SUBMIT),
        ("GET", rf"/v1/requests/{_ID}/status", Endpoint.STATUS),
        ("GET", rf"/v1/requests/{_ID}/result", Endpoint.RESULT),
        ("POST", rf"/v1/requests/{_ID}/cancel", Endpoint.CANCEL),
        ("GET", r"/v1/models", Endpoint.MODELS),
        ("GET", r"/v1/models/categories", Endpoint.CATEGORIES),
        ("GET", r"/v1/models/(?P<name>.+)", Endpoint.MODEL),
        ("GET", r"/prod/v2/balance", Endpoint.BALANCE),
        (
            "GET",
            rf"/files/(?P<link>[^/]+)/{_ID}_output(?:_(?P<number>[2-9]|[1-9][0-9]))?\.(?:mp4|png)",
            Endpoint.FILE,
        ),
    )
)


def route(request: Request) -> Call | None:
    """Return what is asked for, or None when there is no such page."""
    for method, pattern, endpoint in _ROUTES:
        found = pattern.fullmatch(request.path)
        if found is not None and method == request.method:
            parts = found.groupdict(default="")
            return Call(
                endpoint=endpoint,
                request=request,
                name=parts.get("name", ""),
                link=parts.get("link", ""),
                number=int(parts.get("number") or 1),
            )
    return None
