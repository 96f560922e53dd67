"""What does a fault make of a reply?

`plain` is the reply without the fault; asking for it has the consequences of a real one (a submission is
accepted), so a fault that comes first does not ask.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from msgspec.structs import replace

from .._types import Json
from .faults import Body, Do, Fault
from .wire import Answer, Ending, Reply, Silence, with_answer

_SILENCES: Final = {Do.CLOSE: Ending.CLOSE, Do.RESET: Ending.RESET, Do.HANG: Ending.STALL}

_HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body>Bad gateway</body></html>\n"
)
_HUGE_BYTES: Final = 8 * 1024 * 1024


def disturb(fault: Fault, plain: Callable[[], Reply], now: float) -> Reply:
    """Return the reply that *fault* lets through instead of the plain one."""
    match fault.do:
        case Do.ANSWER:
            _accept_first(fault, plain)
            return canned(fault, now)
        case Do.CLOSE | Do.RESET | Do.HANG:
            _accept_first(fault, plain)
            return Silence(ending=_SILENCES[fault.do])
        case Do.LATE:
            return with_answer(
                plain(), lambda answer: replace(answer, latency_s=answer.latency_s + fault.seconds)
            )
        case Do.CUT:
            return with_answer(plain(), lambda answer: _cut(fault, answer))
        case _:
            return with_answer(plain(), lambda answer: _reworded(fault, answer))


def _accept_first(fault: Fault, plain: Callable[[], Reply]) -> None:
    if fault.accepted:
        plain()


def _cut(fault: Fault, answer: Answer) -> Answer:
    size = len(answer.body) // 2 if fault.size is None else fault.size
    return replace(answer, cut_at=size, framing=fault.framing, ending=fault.ending)


def canned(fault: Fault, now: float) -> Answer:
    """The answer that the fault ``answer`` describes."""
    status = 500 if fault.status is None else fault.status
    content_type, body = _body(fault, status)
    headers = {"content-type": content_type}
    if fault.retry_after is not None:
        headers["retry-after"] = _retry_after(fault.retry_after, now)
    if fault.to is not None:
        headers["location"] = fault.to
    return Answer(status=status, headers=headers, body=body)


def _retry_after(asked: str, now: float) -> str:
    if not asked.startswith("date:"):
        return asked
    at = datetime.fromtimestamp(now + float(asked.removeprefix("date:")), UTC)
    return format_datetime(at, usegmt=True)


def _body(fault: Fault, status: int) -> tuple[str, bytes]:
    message = f"simulated fault: HTTP {status}" if fault.message is None else fault.message
    service: dict[str, Json] = {} if fault.code is None else {"error_code": fault.code}
    service["error_message"] = message
    match fault.body:
        case Body.HTML:
            return "text/html", _HTML
        case Body.EMPTY:
            return "application/json", b""
        case Body.TEXT:
            return "text/plain", message.encode()
        case Body.CUT:
            return "application/json", _encoded(service)[:-2]
        case Body.HUGE:
            size = _HUGE_BYTES if fault.size is None else fault.size
            return "application/json", b'{"padding": "' + b"x" * size + b'"}'
        case _:
            return "application/json", _encoded(_json_body(fault, message, service))


def _json_body(fault: Fault, message: str, service: dict[str, Json]) -> Json:
    match fault.body:
        case Body.CODE:
            return {"code": fault.code, "error": message}
        case Body.MESSAGE:
            return {"message": message}
        case Body.DETAIL:
            return {"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]}
        case Body.OBJECT:
            return {}
        case Body.LIST:
            return []
        case _:
            return service


def _encoded(data: Json) -> bytes:
    return json.dumps(data).encode()


def _reworded(fault: Fault, answer: Answer) -> Answer:
    """The service's own answer with other words in it; its refusals stay as they are."""
    if answer.status != 200:
        return answer
    data = json.loads(answer.body)
    match fault.do:
        case Do.NO_ID:
            data = {"status": "in_queue"}
        case Do.ODD_ID:
            data["request_id"] = 4711
        case Do.WORD:
            data = _without_outcome(data) | {"status": fault.word}
        case Do.UPPER:
            data["status"] = data["status"].upper()
        case Do.FAILED:
            data = _without_outcome(data) | {"status": "failed", "error": _error(fault)}
        case Do.NO_OUTPUT:
            data = _without_outcome(data) | {"status": "succeeded", "output": {}}
        case _:
            return answer
    return replace(answer, body=_encoded(data))


def _without_outcome(data: dict[str, Json]) -> dict[str, Json]:
    return {
        key: value
        for key, value in data.items()
        if key not in ("output", "outputs", "error", "queue_position")
    }


def _error(fault: Fault) -> Json:
    message = "Model run failed" if fault.message is None else fault.message
    if fault.error == "object":
        return {"code": "GENERATION_FAILED", "message": message, "details": {"stage": "sampling"}}
    return message
