"""Waiting for "something changed", and the in-flight slots, whose number may change while they are used."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import anyio

EASE_S: Final = 0.2


class Changed:
    """Wakes everybody who waits, each time something was reported."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def report(self) -> None:
        self._event.set()
        self._event = anyio.Event()

    async def wait(self, until: float | None = None) -> None:
        """Return at the next report, or at the instant *until* (of the event loop's clock)."""
        event = self._event
        with anyio.CancelScope(deadline=math.inf if until is None else until):
            await event.wait()

    async def wait_at_ease(self, until: float | None = None) -> None:
        """Do the same for whoever need not know at once, and is not to be woken with each job's each step."""
        await self.wait(until)
        now = anyio.current_time()
        await anyio.sleep(EASE_S if until is None else max(0.0, min(EASE_S, until - now)))


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
