"""Waiting for "something changed", naps that are cut short, and the slots, whose number may change in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Final, Self

import anyio

from .event_loop import asyncio_loop, current_time

EASE_S: Final = 0.2


class Changed:
    """Wakes everybody who waits, each time something was reported."""

    def __init__(self) -> None:
        self._event: anyio.Event | None = None
        """Made by the first who waits: most reports come while nobody does."""

    def report(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.set()

    async def wait(self, until: float | None = None) -> None:
        """Return at the next report, or at the instant *until* (of the event loop's clock)."""
        if self._event is None:
            self._event = anyio.Event()
        event = self._event
        if until is None:
            await event.wait()
        else:
            with anyio.CancelScope(deadline=until):
                await event.wait()

    async def wait_at_ease(self, until: float | None = None) -> None:
        """Do the same for whoever need not know at once, and is not to be woken with each job's each step."""
        await self.wait(until)
        now = current_time()
        await anyio.sleep(EASE_S if until is None else max(0.0, min(EASE_S, until - now)))


class Naps:
    """Sleeps by number, each of which may be cut short; those until the same instant share a timer."""

    def __init__(self) -> None:
        self._rise: dict[int, Callable[[], object]] = {}
        self._until: dict[float, list[asyncio.Future[None]]] = {}

    async def sleep(self, number: int, *, until: float) -> None:
        """Sleep until an instant of the event loop's clock, or until this number is woken."""
        loop = asyncio_loop()
        try:
            if loop is not None:
                await self._nap(loop, number, until)
            else:
                with anyio.CancelScope() as scope:
                    self._rise[number] = scope.cancel
                    await anyio.sleep_until(until)
        finally:
            del self._rise[number]

    def _nap(self, loop: asyncio.AbstractEventLoop, number: int, until: float) -> asyncio.Future[None]:
        """Return what is over then, in a third of a scope's time: a job naps between any two looks."""
        over = loop.create_future()
        self._rise[number] = partial(_settle, over)
        others = self._until.get(until)
        if others is None:
            self._until[until] = [over]
            loop.call_at(until, self._all_rise, until)
        else:
            others.append(over)
        return over

    def _all_rise(self, instant: float) -> None:
        for over in self._until.pop(instant):
            _settle(over)

    def wake(self, number: int) -> None:
        """Let it rise now, where it sleeps."""
        if number in self._rise:
            self._rise[number]()


def _settle(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


class Slot:
    """One place among the jobs in flight; given back once, at the latest when the block ends."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def release(self) -> None:
        if self._slots is not None:
            self._slots._give_back()
            self._slots = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Slots:
    """At most `limit()` places at once; a lowered limit takes effect as places come back."""

    def __init__(self, limit: Callable[[], int], changed: Changed) -> None:
        self._limit = limit
        self._changed = changed
        self.in_use = 0

    @property
    def free(self) -> bool:
        return self.in_use < self._limit()

    def take(self) -> Slot:
        """Take a free place.  The caller has looked at `free` without awaiting in between."""
        self.in_use += 1
        return Slot(self)

    def _give_back(self) -> None:
        self.in_use -= 1
        self._changed.report()
