"""When does an accepted request start and end, and how many wait before it?

Pure: a few slots, first come, first served.  Both instants are known at acceptance, so the service needs no
background task; a cancelled request moves those behind it forward.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from msgspec import Struct


class Span(Struct, frozen=True, kw_only=True):
    """A request's time in its slot; `number` counts acceptances, from 1."""

    number: int
    start_at: float
    end_at: float

    @property
    def service_s(self) -> float:
        return self.end_at - self.start_at


class Schedule:
    """The slots' future."""

    def __init__(self, slots: int, spans: Iterable[Span] = ()) -> None:
        """Go on from *spans*, in the order of acceptance."""
        self._slots = slots
        self._reset(spans)

    def _reset(self, spans: Iterable[Span]) -> None:
        known = list(spans)
        self._numbers = [span.number for span in known]
        self._starts = [span.start_at for span in known]  # never falling: first come, first served
        self._ends = sorted(span.end_at for span in known)
        # Each placement replaces the earliest instant by a later one, so the slots' instants are the latest
        # ends.
        latest = self._ends[-self._slots :]
        self._free_at = [float("-inf")] * (self._slots - len(latest)) + latest
        heapq.heapify(self._free_at)

    def place(self, number: int, service_s: float, now: float) -> Span:
        """Give the next free slot to request *number*."""
        start_at = max(now, self._free_at[0])
        span = Span(number=number, start_at=start_at, end_at=start_at + service_s)
        heapq.heapreplace(self._free_at, span.end_at)
        self._numbers.append(number)
        self._starts.append(start_at)
        insort(self._ends, span.end_at)
        return span

    def replace(self, spans: Iterable[Span], now: float) -> list[Span]:
        """Plan again without the cancelled ones: return the waiting spans with their new instants."""
        known = list(spans)
        self._reset(span for span in known if span.start_at <= now)
        waiting = [span for span in known if span.start_at > now]
        return [self.place(span.number, span.service_s, now) for span in waiting]

    def position(self, number: int, now: float) -> int:
        """The place in line of a waiting request, from 1."""
        return bisect_left(self._numbers, number) - bisect_right(self._starts, now) + 1

    def in_flight(self, now: float) -> int:
        """How many were accepted and have not ended."""
        return len(self._ends) - bisect_right(self._ends, now)
