"""Runs told in a few events, for whatever shows them."""

from __future__ import annotations

from batchrunner._types import JobId, Json
from batchrunner.events import RunEvent
from batchrunner.progress.tally import Tally

BEGAN = 1_000_000.0


def an_event(name: str, job: str | None = None, *, at: float = 0.0, **data: Json) -> RunEvent:
    """An event so many seconds after the start."""
    return RunEvent(name=name, at=BEGAN + at, id=None if job is None else JobId(job), data=data)


def started(
    submit: int,
    *,
    collect: int = 0,
    done: int = 0,
    spent: float | None = None,
    cost: float | None = None,
    **data: Json,
) -> RunEvent:
    plan: Json = {
        "submit": submit, "collect": collect, "gone_to_collect": 0, "reasons": {"done": done},
        "cost_usd": cost,
    }  # fmt: skip
    return an_event("started", plan=plan, folder="out/night", spent_usd=spent, **data)


def weather(at: float = 0.0, *, sky: str = "fair", limit: int = 8, **data: Json) -> RunEvent:
    return an_event("weather", at=at, sky=sky, limit=limit, **{"concurrency": 8, **data})


def failed(
    job: str, *, at: float = 0.0, row: int = 2, code: str = "refused", message: str = "no"
) -> RunEvent:
    return an_event("failed", job, at=at, row=row, error={"code": code, "message": message})


def counted(*events: RunEvent) -> Tally:
    """The tally of a run of which this was told."""
    tally = Tally()
    for event in events:
        tally(event)
    return tally


def a_busy_run() -> Tally:
    """A run in the middle of everything: throttled, with failures, results to save and a price."""
    return counted(
        started(100, done=900, spent=63.0),
        weather(sky="throttled", limit=4, reason="HTTP 429: Too many requests", next_try_s=72.0),
        an_event("forecast", left_s=600.0),
        *(an_event("submitted", f"job-{n}", at=1) for n in range(12)),
        *(an_event("ready", f"job-{n}", at=20 + n, cost_usd=0.07) for n in range(8)),
        *(an_event("succeeded", f"job-{n}", at=30 + n) for n in range(5)),
        failed("狐-1", at=40, row=17, message="the prompt names a fox, twice, and no fox may be named twice"),
        failed("owl\x1b[31m-2", at=41, row=18),
        failed("cat-3", at=42, row=19),
        failed("dog-4", at=43, row=20),
    )
