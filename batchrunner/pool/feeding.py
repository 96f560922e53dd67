"""Which job is next?  Known requests first, then what is due again, then what was never sent.

Jobs are read from the ledger in pages, as slots come free: memory does not grow with the manifest.
"""

from __future__ import annotations

import heapq
from collections import deque
from functools import partial
from typing import Final

from ..event_loop import current_time
from ..ledger import Entry, LedgerWriter, Store
from ..lifecycle import State
from ..plan import is_chosen
from .context import Context

MAX_WAIT_S: Final = 300.0
"""No backoff of ours is longer; a `not_before` further ahead speaks of a clock that was changed."""


class Cursor:
    """The jobs in one state, in manifest order, a page at a time."""

    def __init__(self, ledger: LedgerWriter, state: State) -> None:
        self._ledger = ledger
        self._state = state
        self._after = (0, 0)
        self._page: deque[Entry] = deque()
        self._is_over = False

    async def next(self) -> Entry | None:
        """Return the next job, or None after the last; what comes into the state later is not looked for."""
        if not self._page and not self._is_over:
            page = await self._ledger.do(partial(Store.page, state=self._state, after=self._after))
            if page:
                self._after = page[-1][0]
            self._is_over = not page
            self._page.extend(entry for _, entry in page)
        return self._page.popleft() if self._page else None


class Feed:
    """The order in which a run takes up its jobs."""

    def __init__(self, context: Context, sample: frozenset[str] | None) -> None:
        """*sample* holds the ids that ``--sample`` chose; None without one."""
        self._context = context
        self._sample = sample
        self._requests = Cursor(context.ledger, State.SUBMITTED)
        self._fresh = Cursor(context.ledger, State.PENDING)
        self._due_again: list[tuple[float, int]] = []
        self._returned: set[int] = set()  # became pending in this run without coming from `_fresh`
        self._alive = 0
        self._left = context.settings.limit

    @property
    def alive(self) -> int:
        """Jobs whose lives have begun and not ended."""
        return self._alive

    async def next_request(self) -> Entry | None:
        """Return the next job whose request id an earlier run left behind."""
        return await self._requests.next()

    async def next_submission(self) -> Entry | None:
        """Wait for a job to submit; None when the run is stopping or nothing can come any more."""
        while not self._context.stopping.requested:
            allowed = self._left != 0
            entry = (await self._due() or await self._next_fresh()) if allowed else None
            if entry is not None:
                return entry
            if not self._alive and not (allowed and self._due_again):
                return None
            await self._wait(due_counts=allowed)
        return None

    def began(self, entry: Entry) -> None:
        """Note that a job's life has begun."""
        self._alive += 1
        if entry.state in (State.PENDING, State.SUBMITTED):
            self._context.forecast.waiting -= 1
        if entry.state is State.PENDING and self._left is not None:
            self._left -= 1

    def ended(self, before: Entry, after: Entry) -> None:
        """Note that a job's life has ended; one that is pending (again) is taken up when it is due."""
        self._alive -= 1
        if after.state is State.PENDING:
            if before.state is not State.PENDING:
                self._returned.add(after.seq)
            elif before.attempts == after.attempts and self._left is not None:
                self._left += 1  # nothing was accepted: it does not count against --limit
            if self._may_submit(after):
                self._context.forecast.waiting += 1
                self._defer(after)
        elif after.state is State.CANCELLED and before.state is State.PENDING and self._left is not None:
            self._left += 1  # cancelled before it was sent: another one may take its place
        self._context.changed.report()

    def _wait_s(self, entry: Entry) -> float:
        """Return how long a pending job waits yet; a wall clock that was changed never makes it long."""
        return max(0.0, min((entry.not_before or 0.0) - self._context.wall_clock(), MAX_WAIT_S))

    def _defer(self, entry: Entry) -> None:
        heapq.heappush(self._due_again, (current_time() + self._wait_s(entry), entry.seq))
        self._context.deferred += 1

    async def _due(self) -> Entry | None:
        if not self._due_again or self._due_again[0][0] > current_time():
            return None
        _, seq = heapq.heappop(self._due_again)
        self._context.deferred -= 1
        return await self._context.ledger.do(partial(Store.entry, seq=seq))

    async def _next_fresh(self) -> Entry | None:
        """Return the next job never taken up in this run; those that must wait are put aside."""
        while (entry := await self._fresh.next()) is not None:
            if entry.seq in self._returned or not self._may_submit(entry):
                continue
            if not self._wait_s(entry):
                return entry
            self._defer(entry)
        return None

    async def _wait(self, *, due_counts: bool) -> None:
        until = self._due_again[0][0] if due_counts and self._due_again else None
        await self._context.changed.wait(until)

    def _may_submit(self, entry: Entry) -> bool:
        return entry.in_manifest and is_chosen(entry.id, self._context.settings.selection, self._sample)
