"""What does a look at a request show?  ``/status`` and ``/result`` answers, read into news.

Pure.  Words and shapes: the API page "async-queue-endpoints" and what official and other clients have met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ._types import JobError, Json, Output, RequestId
from .answers import Answer, Kind, request_id_of, service_code, without_signatures, words_of
from .errors import ErrorCode


class Running(Struct, frozen=True, kw_only=True):
    """Accepted and not at its end."""

    queue_position: int | None = None
    in_queue: bool = False


class Ended(Struct, frozen=True, kw_only=True):
    """``/status`` says it is over; only ``/result`` knows how."""

    failed: bool = False


class Done(Struct, frozen=True, kw_only=True):
    """Finished well; with no outputs, the links may still be on their way."""

    outputs: tuple[Output, ...]
    cost_usd: float | None = None


class FailedThere(Struct, frozen=True, kw_only=True):
    """The generation failed at the service."""

    error: JobError
    cost_usd: float | None = None


class CancelledThere(Struct, frozen=True, kw_only=True):
    """The request was cancelled at the service."""


class Gone(Struct, frozen=True, kw_only=True):
    """The service does not know the request: believed only after repeated looks."""

    message: str
    service_code: int | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """Nothing was learned; look again."""

    answer: Answer


class Stop(Struct, frozen=True, kw_only=True):
    """The account is refused, or the request is someone else's: the run ends."""

    answer: Answer


News = Running | Ended | Done | FailedThere | CancelledThere | Gone | Trouble | Stop

RUNNING_WORDS: Final = frozenset(
    {"in_progress", "processing", "starting", "running", "cancellation_requested"}  # the last may still run
)
QUEUED_WORDS: Final = frozenset({"in_queue", "queued", "pending", "waiting"})
SUCCESS_WORDS: Final = frozenset({"completed", "succeeded", "success", "done"})
FAILURE_WORDS: Final = frozenset({"failed", "error", "failure", "timeout"})
END_WORDS: Final = SUCCESS_WORDS | FAILURE_WORDS
CANCEL_WORDS: Final = frozenset({"cancelled", "canceled"})

MODERATION: Final = re.compile(
    r"moderat|safety|nsfw|sensitive|content[ _-]?polic|polic(?:y|ies)[ _-]violation|prohibited|"
    r"inappropriate|violates|not allowed content|flagged|copyright",
    re.IGNORECASE,
)
"""Words by which services say that their content rules stopped a job; it would be stopped again."""


def read_status(answer: Answer, request_id: RequestId) -> News:
    """Return what a ``/status`` answer shows."""
    return _usual(answer, request_id) or _read_status_word(answer, _word(answer))


def _read_status_word(answer: Answer, word: str) -> News:
    if word in END_WORDS:
        return Ended(failed=word in FAILURE_WORDS)
    return _read_open_word(answer, word)


def read_result(answer: Answer, request_id: RequestId) -> News:
    """Return what a ``/result`` answer shows."""
    usual = _usual(answer, request_id)
    if usual is not None:
        return usual
    word = _word(answer)
    body = answer.body or {}
    if word in SUCCESS_WORDS:
        return Done(outputs=tuple(find_outputs(body)), cost_usd=_cost(body))
    if word in FAILURE_WORDS:
        return FailedThere(error=_failure(body), cost_usd=_cost(body))
    return _read_open_word(answer, word)


def _read_open_word(answer: Answer, word: str) -> News:
    if word in CANCEL_WORDS:
        return CancelledThere()
    if word in QUEUED_WORDS:
        position = (answer.body or {}).get("queue_position")
        whole = isinstance(position, int) and not isinstance(position, bool)
        return Running(in_queue=True, queue_position=position if whole else None)  # type: ignore[arg-type]
    if word in RUNNING_WORDS:
        return Running()
    return Trouble(answer=Answer(kind=Kind.CONTRACT, message=f"unknown status {word!r}", body=answer.body))


def _usual(answer: Answer, request_id: RequestId) -> News | None:
    """Return what both reads have in common; None when the status word decides."""
    match answer.kind:
        case Kind.OK:
            other = request_id_of(answer.body)
            if other is None or other == request_id:
                return None
            return Trouble(answer=Answer(kind=Kind.CONTRACT, message=f"the answer is about {other}"))
        case Kind.NOT_READY:
            return Running()
        case Kind.GONE:
            return Gone(message=answer.message, service_code=answer.service_code)
        case Kind.ACCOUNT | Kind.FOREIGN:
            return Stop(answer=answer)
        case _:
            return Trouble(answer=answer)


def _word(answer: Answer) -> str:
    value = (answer.body or {}).get("status")
    return value.strip().lower() if isinstance(value, str) else ""


def _failure(body: dict[str, Json]) -> JobError:
    error = body.get("error") or body.get("failure_reason") or body.get("error_message")
    words = without_signatures(words_of(error) or "the service gives no reason")
    code = ErrorCode.MODERATED if MODERATION.search(words) else ErrorCode.GENERATION_FAILED
    inner = service_code(error) if isinstance(error, dict) else service_code(body)
    return JobError(code=code, message=words, service_code=inner)


def _cost(body: dict[str, Json]) -> float | None:
    cost = body.get("cost")
    number = isinstance(cost, int | float) and not isinstance(cost, bool)
    return float(cost) if number and 0 <= cost < float("inf") else None  # type: ignore[operator,arg-type]


def find_outputs(body: dict[str, Json]) -> Iterator[Output]:
    """Yield every link under ``output`` (else ``outputs``) once, in order, with its key path.

    Nowhere else: a reply may echo the inputs with their reference links.
    """
    seen: set[str] = set()
    for key, url in _links(body.get("output") or body.get("outputs"), "", depth=8):
        if url not in seen:
            seen.add(url)
            yield Output(key=key or "output", url=url)


def _links(value: Json, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth == 0:
        return
    if isinstance(value, str) and value.lower().startswith(("https://", "http://")):
        yield key, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _links(item, f"{key}[{index}]", depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _links(item, f"{key}.{name}" if key else name, depth - 1)
