"""What can be made to go wrong, where, for whom and how often?

A Fault is a plain value; KINDS says in one sentence what each kind does and where it makes sense.  Written as
text or in a file: fault_text.py.  Which one strikes: fault_book.py.  What it does to a reply: disturb.py and
file_answers.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from .routes import Endpoint
from .wire import Ending, Framing


class Do(StrEnum):
    """The kinds of faults."""

    ANSWER = "answer"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    LATE = "late"
    CUT = "cut"
    AWAY = "away"
    NO_ID = "no-id"
    ODD_ID = "odd-id"
    WORD = "word"
    UPPER = "upper"
    FAILED = "failed"
    NO_OUTPUT = "no-output"
    DEAD = "dead"
    ZERO_TAIL = "zero-tail"
    GZIP = "gzip"
    LONGER = "longer"
    TRICKLE = "trickle"
    IGNORE_RANGE = "ignore-range"
    OTHER_ETAG = "other-etag"
    UNSATISFIABLE = "unsatisfiable"


class Body(StrEnum):
    """The bodies that the fault ``answer`` can carry."""

    SERVICE = "service"  # {"error_code": ..., "error_message": ...}
    CODE = "code"  # {"code": ..., "error": ...}
    MESSAGE = "message"  # {"message": ...}
    DETAIL = "detail"  # {"detail": [{"msg": ...}]}, as validation errors are often worded
    OBJECT = "object"  # {}
    LIST = "list"  # []
    TEXT = "text"
    HTML = "html"
    EMPTY = "empty"
    CUT = "cut"  # JSON without its end
    HUGE = "huge"  # `size` bytes of JSON


class Kind(Struct, frozen=True, kw_only=True):
    """What one kind of fault does."""

    says: str
    at: frozenset[Endpoint]
    uses: frozenset[str] = frozenset()
    """The fields of Fault that it reads, beside those that every fault has."""


_ANY: Final = frozenset(Endpoint)
_SUBMIT: Final = frozenset({Endpoint.SUBMIT})
_STATES: Final = frozenset({Endpoint.STATUS, Endpoint.RESULT})
_RESULT: Final = frozenset({Endpoint.RESULT})
_FILE: Final = frozenset({Endpoint.FILE})


def _kind(says: str, at: frozenset[Endpoint], *uses: str) -> Kind:
    return Kind(says=says, at=at, uses=frozenset(uses))


KINDS: Final[Mapping[Do, Kind]] = {
    Do.ANSWER: _kind("answers with `status` and `body` instead", _ANY, "status", "body", "code", "message",
                     "retry_after", "to", "size", "accepted"),
    Do.CLOSE: _kind("closes the connection without an answer", _ANY, "accepted"),
    Do.RESET: _kind("breaks the connection off (RST) without an answer", _ANY, "accepted"),
    Do.HANG: _kind("never answers", _ANY, "accepted"),
    Do.LATE: _kind("answers `seconds` later", _ANY, "seconds"),
    Do.CUT: _kind("ends the answer after `size` bytes (default: half)", _ANY, "size", "framing", "ending"),
    Do.AWAY: _kind("nobody listens from `since` to `until` seconds after the start", _ANY, "since", "until"),
    Do.NO_ID: _kind("accepts, and answers without a request_id", _SUBMIT),
    Do.ODD_ID: _kind("accepts, and answers with a number as request_id", _SUBMIT),
    Do.WORD: _kind("says the state `word`", _STATES, "word"),
    Do.UPPER: _kind("says the state in capitals", _STATES),
    Do.FAILED: _kind("says that the generation failed, with `message`", _STATES, "message", "error"),
    Do.NO_OUTPUT: _kind("says that it is done, and names no link", _RESULT),
    Do.DEAD: _kind("lets the link die; the next /result gives a fresh one", _FILE, "status"),
    Do.ZERO_TAIL: _kind("sends zeros as the last `size` bytes (default: a quarter)", _FILE, "size"),
    Do.GZIP: _kind("sends the file compressed, with Content-Encoding: gzip", _FILE),
    Do.LONGER: _kind("sends `size` bytes more than the file has", _FILE, "size", "framing"),
    Do.TRICKLE: _kind("sends `rate` bytes a second", _FILE, "rate"),
    Do.IGNORE_RANGE: _kind("answers a Range request with 200 and everything", _FILE),
    Do.OTHER_ETAG: _kind("answers a Range request with 206 and another ETag", _FILE),
    Do.UNSATISFIABLE: _kind("answers a Range request with 416", _FILE),
}  # fmt: skip

RANGE_ONLY: Final = frozenset({Do.IGNORE_RANGE, Do.OTHER_ETAG, Do.UNSATISFIABLE})
"""These wait for a request that asks for a range."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong.  Raises ValueError where the kind makes no sense at that endpoint."""

    at: Endpoint | None
    """Where; None means at every endpoint."""
    do: Do
    match: str = ""
    """Strikes only where the prompt or another text input, the model or the request id holds this text."""
    times: int | None = 1
    """How often it strikes; None: always."""
    skip: int = 0
    """How many matching calls it lets pass first."""
    each: bool = False
    """Count `times` and `skip` for each request (a submission: for each set of inputs) on its own."""
    share: float = 1.0
    """Strikes this share of the matching calls, drawn by hash."""

    accepted: bool = False
    """On a submission: it is accepted (and paid) before things go wrong."""
    status: int | None = None
    body: Body = Body.SERVICE
    code: int | None = None
    message: str | None = None
    retry_after: str | None = None
    """The header's text; ``date:7`` makes an HTTP date seven seconds ahead."""
    to: str | None = None
    """The Location of a redirect."""
    error: str = "text"
    """For ``failed``: ``text`` gives the error as a string, ``object`` as an object."""
    word: str = "paused"
    size: int | None = None
    framing: Framing = Framing.LENGTH
    ending: Ending = Ending.CLOSE
    rate: float = 1024.0
    seconds: float = 1.0
    since: float = 0.0
    until: float = float("inf")

    def __post_init__(self) -> None:
        if self.at is not None and self.at not in KINDS[self.do].at:
            allowed = ", ".join(sorted(KINDS[self.do].at))
            raise ValueError(f"the fault {self.do!s} is for {allowed}, not for {self.at!s}")

    def is_for(self, endpoint: Endpoint) -> bool:
        """Whether it may strike there at all."""
        return endpoint in KINDS[self.do].at and self.at in (None, endpoint)
