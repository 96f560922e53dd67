"""The worker pool: one task group a run, in which every job of the feed lives its life.

Nothing outlives `run_pool`.  A job's failure never touches its neighbours; what concerns the whole run
(account, disk, outage, signals) goes through context.stopping.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

import anyio
from anyio.abc import TaskGroup

from .._types import JobError
from ..durations import format_duration
from ..errors import BatchrunnerError, DiskTrouble, ErrorCode, ServiceAway
from ..event_loop import current_time
from ..files.disk import FREE_SPACE_HINT, as_disk_trouble, is_disk_error
from ..ledger import Entry, Store
from ..ledger.stored import unstored
from ..lifecycle import State
from ..policy.space import has_room
from ..waiting import Slot
from .context import Context
from .feeding import Feed
from .life import live
from .preflight import preflight
from .saving import move_superseded, save
from .storing import store_each
from .submission import Submitter
from .telling import tell_changes

MAX_UNSAVED: Final = 100
"""So many results waiting for their download pause new submissions."""


async def run_pool(context: Context, *, sample: frozenset[str] | None, models: list[str]) -> None:
    """Run until nothing is left to do or the run is stopped.  *models* are those of the jobs to submit."""
    async with anyio.create_task_group() as helpers:
        helpers.start_soon(_end_with_outage, context)
        helpers.start_soon(_drain_at_instant, context)
        helpers.start_soon(tell_changes, context, MAX_UNSAVED)
        with context.stopping.now_scope:
            async with anyio.create_task_group() as jobs:
                pool = _Pool(context, jobs, Feed(context, sample))
                await _guarded(context, partial(pool.run, models))
        helpers.cancel_scope.cancel()


class _Pool:
    """Starts lives as slots come free."""

    def __init__(self, context: Context, jobs: TaskGroup, feed: Feed) -> None:
        self._context = context
        self._jobs = jobs
        self._feed = feed
        self._submitter = Submitter(context)
        self._left_to_save = 0
        """Results of earlier runs that nobody has begun to fetch."""

    async def run(self, models: list[str]) -> None:
        """Take up known requests first, then new submissions while a slot is free."""
        settings = self._context.settings
        await move_superseded(self._context)
        if not settings.submit_only:
            await self._save_earlier()
            await self._store_earlier()
            await self._take_up(self._feed.next_request)
        if not settings.collect_only and await preflight(self._context, models):
            await self._take_up(self._feed.next_submission)

    async def _take_up(self, next_entry: Callable[[], Awaitable[Entry | None]]) -> None:
        while (entry := await next_entry()) is not None:
            slot = await self._wait_for_slot(new=entry.state is State.PENDING)
            if slot is None:
                return
            self._feed.began(entry)
            self._jobs.start_soon(self._live, entry, slot)

    def _has_room(self) -> bool:
        """Return whether one more film fits on the disk; if not, nothing new is submitted from now on."""
        context = self._context
        expected = self._feed.alive + self._left_to_save + 1
        free = context.shelf.free_bytes()
        if has_room(free, expected_films=expected, largest_seen=context.largest_film):
            return True
        message = f"the disk is nearly full: {free >> 20} MiB left for {expected} films on their way"
        context.stopping.drain(message, DiskTrouble(message, hint=FREE_SPACE_HINT))
        return False

    async def _wait_for_slot(self, *, new: bool) -> Slot | None:
        """Return a free slot; None when nothing *new* may begin because the run is stopping."""
        context = self._context
        while not (new and context.stopping.requested):
            held = context.held_since is not None or context.unsaved >= MAX_UNSAVED
            if context.slots.free and not (new and held):
                return context.slots.take() if not new or self._has_room() else None
            await context.changed.wait()
        return None

    async def _live(self, entry: Entry, slot: Slot) -> None:
        after = entry
        try:
            after = await live(self._context, self._submitter, entry, slot)
        except Exception as error:
            await _at_the_edge(self._context, entry, error)
        finally:
            self._feed.ended(entry, after)

    async def _save_earlier(self) -> None:
        """Begin to fetch what earlier runs left to be fetched, a few at once."""
        ready = await self._context.ledger.do(partial(Store.seqs, state=State.READY))
        self._context.unsaved += len(ready)
        self._left_to_save += len(ready)
        remaining = iter(ready)
        for _ in range(self._context.settings.downloads):
            self._jobs.start_soon(_guarded, self._context, partial(self._save_each, remaining))

    async def _store_earlier(self) -> None:
        """Begin to put into the store what earlier runs left to be put there, a few at once."""
        films = self._context.films
        if films is not None:
            remaining = iter(await self._context.ledger.do(unstored))
            for _ in range(self._context.settings.downloads):
                each = partial(store_each, self._context, films, remaining)
                self._jobs.start_soon(_guarded, self._context, each)

    async def _save_each(self, remaining: Iterator[int]) -> None:
        for seq in remaining:
            entry = after = await self._context.ledger.do(partial(Store.entry, seq=seq))
            self._feed.began(entry)
            self._context.unsaved -= 1
            self._left_to_save -= 1
            try:
                after = await save(self._context, entry)
            except Exception as error:
                await _at_the_edge(self._context, entry, error)
            finally:
                self._feed.ended(entry, after)


async def _guarded(context: Context, work: Callable[[], Awaitable[None]]) -> None:
    """Let an error that ends the run stop it in the one place, instead of tearing the task group."""
    try:
        await work()
    except BatchrunnerError as error:
        context.stopping.fail(error)
    except OSError as error:
        if not is_disk_error(error):
            raise
        context.stopping.fail(as_disk_trouble(error))


async def _at_the_edge(context: Context, entry: Entry, error: Exception) -> None:
    """Turn what a job raised into what the run does about it; other jobs go on where they can."""
    if isinstance(error, BatchrunnerError):
        context.stopping.fail(error)
    elif is_disk_error(error):
        context.stopping.fail(as_disk_trouble(error))
    else:
        problem = JobError(code=ErrorCode.INTERNAL, message=f"{type(error).__name__}: {error}")
        context.tell("internal_error", entry, error=problem.as_json())
        try:
            await context.ledger.do(lambda ledger: ledger.note(entry.seq, problem))
        except BatchrunnerError as trouble:
            context.stopping.fail(trouble)


async def _end_with_outage(context: Context) -> None:
    """Stop the run when the service has been away, or took nothing, for too long."""
    while True:
        now = current_time()
        trying = context.held_since is None
        submitting = trying and (context.waiting_to_submit > 0 or context.deferred > 0)
        gives_up_at = context.weather.gives_up_at(submitting=submitting)
        if gives_up_at is not None and now >= gives_up_at:
            lasted = format_duration(context.settings.max_outage_s)
            context.stopping.fail(
                ServiceAway(
                    f"the service has taken nothing for {lasted}: {context.weather.reason or 'no answer'}",
                    hint="every job is as it was; run the same command again when the service is back",
                )
            )
            return
        # At this very instant perhaps nobody is submitting: between two lives, or with the POST on the wire.
        latest = context.weather.gives_up_at(submitting=trying)
        await context.changed.wait_at_ease(None if latest is None else max(latest, now + 1.0))


async def _drain_at_instant(context: Context) -> None:
    """Stop submitting at ``--until``; the wall clock is asked often, a laptop may have slept."""
    while True:
        until = context.settings.until  # may be set while the run works
        left_s = math.inf if until is None else until - context.wall_clock()
        if left_s <= 0:
            return context.stopping.drain("--until has come")
        wake_at = None if until is None else current_time() + min(left_s, 30.0)
        await context.changed.wait_at_ease(wake_at)
