"""How does the service word the state and the outcome of a request?  Pure: a record in, JSON out."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from enum import StrEnum

from .._types import Json
from .chance import digest
from .film_order import makes_images, outputs_asked_for
from .memory import Accepted, Fate
from .settings import NotReady, Shape, SimulatorSettings
from .wire import Answer, error_answer, json_answer

FAILURE = "Model run failed: the simulated generation did not work out"
MODERATION = "Model run failed: the prompt was rejected by content moderation (sensitive content)"


class Phase(StrEnum):
    """Where a request is at an instant; the words of /status."""

    IN_QUEUE = "in_queue"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


def phase(record: Accepted, now: float) -> Phase:
    """Return where *record* is at *now*: nothing but the instants of its acceptance decides."""
    if record.cancelled_at is not None:
        return Phase.CANCELLED
    if now < record.start_at:
        return Phase.IN_QUEUE
    return Phase.IN_PROGRESS if now < record.end_at else Phase.COMPLETED


def addresses(record: Accepted, origin: str) -> dict[str, Json]:
    """The three addresses of a request."""
    base = f"{origin}/v1/requests/{record.request_id}"
    return {f"{page}_url": f"{base}/{page}" for page in ("status", "result", "cancel")}


def submitted(record: Accepted, origin: str) -> Answer:
    """The answer to an accepted submission."""
    return json_answer(
        200, {"request_id": record.request_id, "status": "in_queue", **addresses(record, origin)}
    )


def status(record: Accepted, origin: str, now: float, position: int) -> Answer:
    """The answer of /status; *position* counts only in the queue."""
    at = phase(record, now)
    waiting: dict[str, Json] = {"queue_position": position} if at is Phase.IN_QUEUE else {}
    links = addresses(record, origin)
    return json_answer(
        200,
        {
            "request_id": record.request_id,
            "status": at.value,
            **waiting,
            "status_url": links["status_url"],
            "result_url": links["result_url"],
        },
    )


def result(
    record: Accepted, origin: str, now: float, settings: SimulatorSettings, *, with_cost: bool
) -> Answer:
    """The answer of /result, which alone tells success from failure."""
    at = phase(record, now)
    if at in (Phase.IN_QUEUE, Phase.IN_PROGRESS) and settings.not_ready is NotReady.ERROR:
        return error_answer(400, 400005, "the result is not ready")
    data: dict[str, Json] = {
        "request_id": record.request_id,
        "model_id": record.model,
        "status": at.value,
        "input": record.inputs,
        "created_at": _iso(record.accepted_at),
    }
    if at is Phase.COMPLETED:
        data |= {"finished_at": _iso(record.end_at), **_outcome(record, origin, settings)}
    if with_cost:
        data["cost"] = 0.0 if at is Phase.CANCELLED else record.cost_usd
    return json_answer(200, data)


def _outcome(record: Accepted, origin: str, settings: SimulatorSettings) -> dict[str, Json]:
    match record.fate:
        case Fate.FAILED:
            return {"status": "failed", "error": FAILURE}
        case Fate.MODERATED:
            return {"status": "failed", "error": MODERATION}
        case Fate.FILM:
            asked = outputs_asked_for(record.model, record.inputs)
            links = [link(record, origin, number) for number in range(1, (asked or settings.outputs) + 1)]
            shape = Shape.VIDEOS if asked and asked > 1 and settings.shape is Shape.VIDEO else settings.shape
            return {"status": settings.result_word, **output(links, shape, record.model)}


def output(links: list[str], shape: Shape, model: str) -> dict[str, Json]:
    """The links in the given shape, under the key they stand under."""
    one, many = ("image", "images") if makes_images(model) else ("video", "videos")
    everything: list[Json] = list(links)
    match shape:
        case Shape.VIDEO:
            return {"output": {one: links[0]}}
        case Shape.VIDEOS:
            return {"output": {many: everything}}
        case Shape.URL:
            return {"output": links[0]}
        case Shape.LIST:
            return {"output": everything}
        case Shape.NESTED:
            return {"output": {"result": {"files": [{"url": each, "type": one} for each in links]}}}
        case Shape.OUTPUTS:
            return {"outputs": {"9": {many: [{"url": each} for each in links]}}}


def link(record: Accepted, origin: str, number: int) -> str:
    """Where output *number* can be fetched while this version of the link lives."""
    name = f"{record.request_id}_output" + ("" if number == 1 else f"_{number}")
    extension = "png" if makes_images(record.model) else "mp4"
    return f"{origin}/files/{opaque(record).replace('=', '%3D')}/{name}.{extension}"


def opaque(record: Accepted) -> str:
    """The part of the link that nobody can guess, different for each version."""
    return base64.urlsafe_b64encode(digest("link", record.request_id, record.link)[:19]).decode()


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")
