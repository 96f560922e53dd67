"""How is the run said, in fragments that a line or a screen puts together?

Pure, and safe for a terminal: what came from outside went through `printable`.
"""

from __future__ import annotations

from typing import Final

from ..durations import format_duration
from ..events import RunEvent
from ..names import printable
from .tally import FAILURES, Failure, Tally

SILENCE_S: Final = 5.0
"""A service that was silent for less is not called away: one read went wrong."""

TROUBLE: Final = FAILURES | {"warning", "unrecorded", "store_failed"}
"""Events worth a line of their own."""

ENDED: Final = {
    "failed": "failed",
    "cancelled": "cancelled",
    "unknown": "in doubt",
    "job_timeout": "timed out",
    "download_failed": "not downloaded",
}


def at_work(tally: Tally) -> list[str]:
    """Return what is under way: at the service and against which limit, being saved, still to come."""
    running = len(tally.running)
    if tally.limit is None:
        said = [f"{running} running"]
    elif tally.concurrency is not None and tally.limit < tally.concurrency:
        said = [f"{running} running", f"limit {tally.limit} for now"]
    else:
        said = [f"{running} of {tally.limit} running"]
    if tally.unconfirmed:
        said.append(f"{len(tally.unconfirmed)} looked at again")
    if tally.saving:
        said.append(f"{len(tally.saving)} saving")
    if tally.waiting:
        said.append(f"{tally.waiting:,} to come")
    return said


def ended(tally: Tally) -> list[tuple[str, str]]:
    """Return (event, words) of what jobs ended in, succeeded first, then what went otherwise."""
    counts = tally.ended.copy()  # the run goes on counting meanwhile
    said = [("succeeded", f"{counts.get('succeeded', 0):,} succeeded")]
    said += [(name, f"{counts[name]:,} {word}") for name, word in ENDED.items() if name in counts]
    return said


def pace(tally: Tally, now: float) -> list[str]:
    """Return how fast it goes and what is left, as far as that is known."""
    said = []
    left_s = tally.left_s(now)
    if left_s is not None:
        if left_s >= 1:
            said.append(f"about {format_duration(left_s)} left")
        elif not tally.unconfirmed:
            said.append("nearly done")
    per_s = tally.per_s(now)
    if per_s is not None:
        said.append(_per(per_s))
    return said


def _per(per_s: float) -> str:
    """Return a rate in the unit that makes it a number one can picture."""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        rate = per_s * seconds
        if rate >= 2 or unit == "h":
            return f"{rate:,.0f} jobs/{unit}" if rate >= 10 else f"{rate:.1f} jobs/{unit}"
    raise AssertionError("an hour takes every rate")


def money(tally: Tally) -> list[str]:
    """Return what was paid and what it will come to; nothing in a rehearsal, or before a price is known."""
    spent, projected = tally.spent_usd, tally.projected_usd
    if tally.simulated or (spent is None and projected is None):
        return []
    said = [f"{spent or 0.0:,.2f} USD"]
    if projected is not None and projected >= (spent or 0.0) + 0.005:
        said.append(f"about {projected:,.2f} in all")
    return said


def waits(tally: Tally, now: float) -> str:
    """Return what the run waits for, in a sentence; empty when it waits for nothing but its jobs."""
    if tally.draining is not None:
        why = printable(tally.draining, 120)
        return f"draining: {tally.under_way} in flight, Ctrl-C again stops now ({why})"
    if tally.sky == "held":
        return (
            f"paused by hand: {tally.under_way} in flight are collected, `batchrunner ctl DIR resume` goes on"
        )
    try_in = "" if tally.next_try_at is None else _in(", next try in ", tally.next_try_at, now)
    reason = f" ({printable(tally.reason, 80)})" if tally.reason else ""
    if tally.sky == "away" and tally.since is not None and now - tally.since >= SILENCE_S:
        gives_up = "" if tally.gives_up_at is None else _in(", gives up in ", tally.gives_up_at, now)
        return f"service away for {format_duration(now - tally.since)}{gives_up}{try_in}{reason}"
    if tally.sky == "throttled":
        return f"throttled{try_in or ', one job goes first'}{reason}"
    if tally.sky == "doubt":
        return f"an answer was lost: a free look comes before the next submission{try_in}{reason}"
    if tally.sky == "backlog":
        return f"{len(tally.saving)} results wait for their download: they go first"
    words = dict.fromkeys(tally.unconfirmed.copy().values())
    if words and not tally.running:
        return f"{', '.join(words)}: believed after some minutes of looking again"
    return ""


def _in(before: str, instant: float, now: float) -> str:
    return f"{before}{format_duration(instant - now)}" if instant - now >= 0.05 else ""


def failed(failure: Failure) -> str:
    """Return a failure as a person looks for it: its row, its id, and why."""
    row = "" if failure.row is None else f"row {failure.row} "
    return printable(f"{row}{failure.id}: {failure.code}: {failure.message}", 400)


def line(tally: Tally, now: float) -> str:
    """Return the run in one line."""
    parts = [f"{tally.done:,}/{tally.to_do:,} done", *at_work(tally)]
    parts += [words for name, words in ended(tally) if name != "succeeded"]
    parts += [*pace(tally, now), *money(tally)]
    waiting = waits(tally, now)
    return " · ".join([*parts, waiting] if waiting else parts)


def told(event: RunEvent, *, verbose: bool) -> str | None:
    """Return an event as a line of its own; None for what the counts say well enough."""
    if event.name not in TROUBLE and not (verbose and event.id):
        return None
    error = event.data.get("error")
    why = f"{error['code']}: {error['message']}" if isinstance(error, dict) else event.data.get("message", "")
    row = event.data.get("row")
    who = f"{event.id or ''} (row {row})" if row is not None else event.id or ""
    more = f" request {event.data['request_id']}" if "request_id" in event.data else ""
    return printable(" ".join(part for part in (event.name, who, str(why) + more) if part), 400)
