"""How is a file served, in whole or by range, and how is it spoiled?

Ranges after RFC 9110, sections 13.1.5 (If-Range) and 14: one range is honoured, several are answered with
everything, one that starts behind the end with 416.  Pure: bytes in, an answer out.
"""

from __future__ import annotations

import gzip
import re

from msgspec.structs import replace

from .chance import digest
from .faults import Do, Fault
from .film_order import FilmOrder
from .wire import Answer, Request

TYPES = {".mp4": "video/mp4", ".png": "image/png"}

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_STORAGE_ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
)


def etag_of(order: FilmOrder) -> str:
    """A strong validator: equal orders give equal bytes."""
    return f'"{digest(order.request_id, order.number, order.width, order.height).hex()[:32]}"'


def gone(status: int = 404) -> Answer:
    """The answer behind a dead link, as storage hosts word it."""
    return Answer(status=status, headers={"content-type": "application/xml"}, body=_STORAGE_ERROR)


def serve_file(request: Request, content: bytes, order: FilmOrder) -> Answer:
    """Answer a GET of a file."""
    headers = {
        "content-type": TYPES[order.extension],
        "accept-ranges": "bytes",
        "etag": etag_of(order),
        "cache-control": "public, max-age=3600",
    }
    span = _span(request, len(content), headers["etag"])
    if span is None:
        return Answer(headers=headers, body=content)
    first, last = span
    if first > last:
        headers["content-range"] = f"bytes */{len(content)}"
        return Answer(status=416, headers=headers)
    headers["content-range"] = f"bytes {first}-{last}/{len(content)}"
    return Answer(status=206, headers=headers, body=content[first : last + 1])


def _span(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """The first and last byte asked for; None for everything; an empty span where there is no such part."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if first:
        end = min(int(last), size - 1) if last else size - 1
        return None if last and int(last) < int(first) else (int(first), end)
    if not last:
        return None
    return (max(size - int(last), 0), size - 1) if int(last) else (size, size - 1)


def spoil(fault: Fault, request: Request, content: bytes, order: FilmOrder) -> Answer:
    """Answer a GET of a file in the way *fault* wants; other faults leave the file as it is."""
    whole = replace(
        request, headers={k: v for k, v in request.headers.items() if k not in ("range", "if-range")}
    )
    match fault.do:
        case Do.ZERO_TAIL:
            return serve_file(request, _zeroed(content, fault.size), order)
        case Do.LONGER:
            answer = serve_file(request, content + b"\0surplus" * _blocks(fault.size), order)
            return replace(answer, framing=fault.framing)
        case Do.IGNORE_RANGE:
            return serve_file(whole, content, order)
        case Do.UNSATISFIABLE:
            headers = {"content-range": f"bytes */{len(content)}"}
            return Answer(status=416, headers=headers)
        case Do.OTHER_ETAG:
            return _with_other_etag(request, content, order)
        case Do.GZIP:
            plain = serve_file(whole, content, order)
            return replace(
                plain,
                headers={**plain.headers, "content-encoding": "gzip"},
                body=gzip.compress(content, mtime=0),
            )
        case Do.TRICKLE:
            return replace(serve_file(request, content, order), bytes_per_s=fault.rate)
        case _:
            return serve_file(request, content, order)


def _zeroed(content: bytes, size: int | None) -> bytes:
    tail = min(len(content) // 4 if size is None else size, len(content))
    return content[: len(content) - tail] + bytes(tail)


def _blocks(size: int | None) -> int:
    return max((1024 if size is None else size) // 8, 1)


def _with_other_etag(request: Request, content: bytes, order: FilmOrder) -> Answer:
    """A part of a file that was replaced in between, by a server that does not look at If-Range."""
    unconditional = {k: v for k, v in request.headers.items() if k != "if-range"}
    answer = serve_file(replace(request, headers=unconditional), content[::-1], order)
    return replace(answer, headers={**answer.headers, "etag": '"replaced"'})
