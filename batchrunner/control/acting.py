"""What a command does to a run.  Nothing here pays: it only keeps submissions back, or lets them go again."""

from __future__ import annotations

import math
import os
from fnmatch import fnmatchcase
from functools import partial
from typing import assert_never

import anyio
from msgspec.structs import replace

from .._types import Json, RequestId
from ..event_loop import current_time
from ..ledger import Entry, Store
from ..lifecycle import State
from ..pool import Cancelled, Context, cancel_request
from .protocol import Cancel, Command, Pause, Resume, Set, Status


async def act(context: Context, command: Command) -> dict[str, Json]:
    """Do as *command* says and return what to answer."""
    match command:
        case Pause():
            context.hold(current_time())
            return {"in_flight": context.slots.in_use - context.waiting_to_submit}
        case Resume():
            context.go_on(current_time())
            return {}
        case Set():
            return _set(context, command)
        case Cancel(ids=ids):
            return await _cancel(context, ids)
        case Status():
            return _status(context)
        case _:
            assert_never(command)


def _set(context: Context, wish: Set) -> dict[str, Json]:
    settings = context.settings
    if wish.concurrency is not None:
        context.weather.set_concurrency(wish.concurrency)
        settings = replace(settings, concurrency=wish.concurrency)
    if wish.downloads is not None:
        context.download_slots.total_tokens = wish.downloads
        context.finishing_slots.total_tokens = wish.downloads
        settings = replace(settings, downloads=wish.downloads)
    if wish.poll_interval_s is not None:
        context.spacing.set_shortest(wish.poll_interval_s)
        settings = replace(settings, poll_interval_s=wish.poll_interval_s)
    if wish.until is not None:
        settings = replace(settings, until=None if wish.until == math.inf else wish.until)
    context.settings = settings
    context.changed.report()
    return {
        "concurrency": settings.concurrency,
        "downloads": settings.downloads,
        "poll_interval_s": settings.poll_interval_s,
        "until": settings.until,
    }


def _status(context: Context) -> dict[str, Json]:
    settings, now = context.settings, current_time()
    left_s = context.forecast.left_s(now, context.weather.in_flight_limit)
    return {
        "pid": os.getpid(),
        "phase": context.stopping.phase.name.lower(),
        "paused": context.held_since is not None,
        "in_flight": context.slots.in_use - context.waiting_to_submit,
        "limit": context.weather.in_flight_limit,
        "concurrency": settings.concurrency,
        "downloads": settings.downloads,
        "poll_interval_s": settings.poll_interval_s,
        "until": settings.until,
        "waits": context.weather.reason if context.weather.careful else None,
        "left_s": None if left_s is None else round(left_s, 1),
    }


# ── cancel ──


async def _cancel(context: Context, ids: tuple[str, ...]) -> dict[str, Json]:
    """Cancel what was never sent and what the service has not begun; its watcher records what it confirms."""
    never_sent, submitted, neither = await context.ledger.do(
        partial(_cancel_unsent, ids=ids, now=context.wall_clock())
    )
    for entry in never_sent:
        context.tell("cancelled", entry)
    outcomes: dict[Cancelled, list[Json]] = {outcome: [] for outcome in Cancelled}

    async def one(entry: Entry) -> None:
        request_id = RequestId(entry.request_id or "")
        try:
            outcome = await cancel_request(context.client, request_id, context.uniform())
        except Exception:  # the account's trouble is found, and handled, by the run's own calls
            outcome = Cancelled.FAILED
        outcomes[outcome].append(entry.id)
        context.until_look.wake(entry.seq)

    async with anyio.create_task_group() as tasks:
        for entry in submitted:
            tasks.start_soon(one, entry)
    context.changed.report()
    return {
        "never_sent": [entry.id for entry in never_sent],
        "cancelled": outcomes[Cancelled.CONFIRMED],
        "runs_on": outcomes[Cancelled.RUNS_ON],
        "failed": outcomes[Cancelled.FAILED],
        "not_open": [{"id": entry.id, "state": str(entry.state)} for entry in neither],
    }


def _cancel_unsent(
    store: Store, *, ids: tuple[str, ...], now: float
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Cancel the pending ones; return them, those at the service, and those named that are neither."""
    named = [entry for one in ids if (entry := store.entry_of(one)) is not None]
    patterns = [one for one in ids if store.entry_of(one) is None]
    if patterns:
        opened = [*store.entries(State.PENDING), *store.entries(State.SUBMITTED)]
        named += [e for e in opened if any(fnmatchcase(e.id, pattern) for pattern in patterns)]
    found = {entry.seq: entry for entry in named}.values()
    pending = [entry for entry in found if entry.state is State.PENDING]
    cancelled = [store.cancel(entry.seq, now) for entry in pending]
    submitted = [entry for entry in found if entry.state is State.SUBMITTED]
    neither = [entry for entry in found if entry.state not in (State.PENDING, State.SUBMITTED)]
    return cancelled, submitted, neither
