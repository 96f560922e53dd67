"""What does the simulator read from a connection, and what may happen on it in return?

Values only, shared by the rules and by both ways of serving them.  A reply is more than an answer: a faulty
network closes, resets or stalls, so those are replies too.  Latencies and paces are carried out by the
server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from .._types import Json
from .film_order import FilmOrder

MARK = {"x-batchrunner-simulator": "1"}
"""Carried by every answer, so that nobody takes a rehearsal for the service."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request; header names are lower case, the path is percent-decoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "http://simulator"
    """Where the client thinks the service is; links in answers start with it."""

    @classmethod
    def parse(
        cls, method: str, target: str, headers: Mapping[str, str], body: bytes, *, scheme: str
    ) -> Request:
        """Make one from the request line's target and its headers (names in any case)."""
        parts = urlsplit(target)
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(
            method=method,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=lowered,
            body=body,
            origin=f"{scheme}://{lowered.get('host', 'simulator')}",
        )


class Framing(StrEnum):
    """How the end of an answer's body is told."""

    LENGTH = "length"  # Content-Length
    CHUNKED = "chunked"  # Transfer-Encoding: chunked
    CLOSE = "close"  # by the end of the connection, so a cut one looks whole


class Ending(StrEnum):
    """What becomes of a connection whose answer does not arrive, or not to its end."""

    CLOSE = "close"  # closed in good order (FIN)
    RESET = "reset"  # broken off (RST)
    STALL = "stall"  # kept open without another byte


class Answer(Struct, frozen=True, kw_only=True):
    """An HTTP answer, whole unless `cut_at` says after how many bytes of the body it ends."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    framing: Framing = Framing.LENGTH
    cut_at: int | None = None
    ending: Ending = Ending.CLOSE
    bytes_per_s: float | None = None
    latency_s: float = 0.0

    @property
    def sent(self) -> bytes:
        """The part of the body that goes out."""
        return self.body if self.cut_at is None else self.body[: self.cut_at]

    @property
    def looks_whole(self) -> bool:
        """Whether a client that trusts HTTP alone takes what is sent for everything."""
        if self.cut_at is None:
            return True
        if self.framing is Framing.CLOSE:
            return self.ending is Ending.CLOSE
        return self.framing is Framing.LENGTH and self.cut_at >= len(self.body)

    @property
    def head(self) -> dict[str, str]:
        """All headers, those that tell the body's end included."""
        end = {
            Framing.LENGTH: {"content-length": str(len(self.body))},
            Framing.CHUNKED: {"transfer-encoding": "chunked"},
            Framing.CLOSE: {"connection": "close"},
        }
        return {**MARK, **self.headers, **end[self.framing]}


class Silence(Struct, frozen=True, kw_only=True):
    """The request arrived and is not answered."""

    ending: Ending
    latency_s: float = 0.0


class Refused(Struct, frozen=True, kw_only=True):
    """Nobody listens: there is no connection at all."""


class Render(Struct, frozen=True, kw_only=True):
    """A film must be made first (which takes a thread and time); `then` makes the reply from its bytes."""

    order: FilmOrder
    then: Callable[[bytes], Answer]


Reply: TypeAlias = Answer | Silence | Refused | Render


CHUNK_BYTES: Final = 65_536
_STEPS_PER_S: Final = 10
"""How finely a slow answer is dealt out."""


def pieces(answer: Answer) -> Iterator[tuple[float, bytes]]:
    """Yield the sent part of the body piece by piece, each with the seconds to wait before it."""
    pace = answer.bytes_per_s
    size = CHUNK_BYTES if pace is None else min(max(int(pace / _STEPS_PER_S), 1), CHUNK_BYTES)
    sent = answer.sent
    for start in range(0, len(sent), size):
        piece = sent[start : start + size]
        yield 0.0 if pace is None else len(piece) / pace, piece


def with_answer(reply: Reply, change: Callable[[Answer], Answer]) -> Reply:
    """Apply *change* to the answer in *reply*, also to one still to be made; leave silence as it is."""
    match reply:
        case Answer():
            return change(reply)
        case Render(then=then):
            return replace(reply, then=lambda content: change(then(content)))
        case _:
            return reply


def json_answer(status: int, data: Json, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is *data*."""
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Answer(status=status, headers={"content-type": "application/json", **(headers or {})}, body=body)


def error_answer(status: int, code: int | None, message: str) -> Answer:
    """An error as the service words it; many of its errors have no code."""
    data: dict[str, Json] = {"error_code": code} if code is not None else {}
    return json_answer(status, {**data, "error_message": message})
