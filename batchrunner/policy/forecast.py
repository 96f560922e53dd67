"""When will the run be done?  What is left, list-scheduled over the slots by the run times seen so far.

A job holds its slot longer than it runs: it waits in the service's queue, and for the look that sees its
end.  So the medians of `RunTimes` are stretched by what this run's own jobs took beyond them.

Pure: the caller passes `now`, seconds on a clock that never goes back.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .runtimes import Key, RunTimes

MEMORY: Final = 1 - 1 / 50
"""Of the stretch: about fifty jobs back."""
EXACTLY: Final = 512
"""Up to so many waiting jobs are placed one by one; the end of more is work over slots, and half a job."""


def list_scheduled_s(running: Sequence[float], waiting: Sequence[tuple[int, float]], slots: int) -> float:
    """Return the seconds until all is done, when each slot that comes free takes the next job.

    *running* holds the seconds left of the jobs in flight, *waiting* pairs of (jobs, seconds each).
    """
    jobs = sum(count for count, _ in waiting)
    if jobs > EXACTLY:
        work_s = sum(running) + sum(count * each for count, each in waiting)
        return work_s / slots + max(each for count, each in waiting if count) / 2
    free_at = sorted(running)
    free_at = [0.0] * (slots - len(free_at)) + free_at
    over = max(0, len(free_at) - slots)  # a lowered limit: the first ones to end free no slot
    latest, free_at = max(free_at, default=0.0), free_at[over:]
    for each in _in_turn(waiting):
        end = heapq.heapreplace(free_at, free_at[0] + each) + each
        latest = max(latest, end)
    return latest


def _in_turn(waiting: Sequence[tuple[int, float]]) -> Iterable[float]:
    """Deal the kinds out evenly, as a manifest mixes them."""
    places = ((i + 0.5) / count for count, _ in waiting for i in range(count))
    lengths = (each for count, each in waiting for _ in range(count))
    return [each for _, each in sorted(zip(places, lengths, strict=True))]


class Forecast:
    """What is known of the rest of one run."""

    def __init__(self, run_times: RunTimes) -> None:
        self._run_times = run_times
        self._mix: Counter[Key] = Counter()
        self._running: dict[int, tuple[Key, float]] = {}
        self._held_s = self._median_s = 0.0
        self.waiting = 0
        """Jobs that will need a slot and have none yet."""

    def expect(self, jobs: int, mix: Mapping[Key, int]) -> None:
        """*jobs* are to come, of kinds that stand to each other as in *mix*."""
        self.waiting = jobs
        self._mix = Counter(mix)

    def began(self, seq: int, key: Key, now: float) -> None:
        """A job is at the service since *now*."""
        self._running[seq] = (key, now)

    def ended(self, seq: int, now: float) -> None:
        """The service is done with a job; told twice, it counts once."""
        if seq not in self._running:
            return
        key, began_at = self._running.pop(seq)
        median_s = self._run_times.outlook(key).median_s
        if median_s:
            self._held_s = self._held_s * MEMORY + now - began_at
            self._median_s = self._median_s * MEMORY + median_s

    def left_s(self, now: float, slots: int) -> float | None:
        """Return the seconds until everything has run; None while no run time is known."""
        keys = {*self._mix, *(key for key, _ in self._running.values())}
        medians = {key: self._run_times.outlook(key).median_s for key in keys}
        known = [median_s for median_s in medians.values() if median_s is not None]
        if not known:
            return None
        usual_s = sum(known) / len(known)
        stretch = max(1.0, self._held_s / self._median_s) if self._median_s else 1.0
        lengths = {key: stretch * (usual_s if each is None else each) for key, each in medians.items()}
        running = [max(0.0, lengths[key] - (now - began_at)) for key, began_at in self._running.values()]
        return list_scheduled_s(running, self._waiting(lengths, stretch * usual_s), max(1, slots))

    def _waiting(self, lengths: Mapping[Key, float], usual_s: float) -> list[tuple[int, float]]:
        """Return the waiting jobs as (jobs, seconds each), in the shares of the mix."""
        of, waiting = sum(self._mix.values()), max(0, self.waiting)
        if not of:
            return [(waiting, usual_s)]
        found: list[tuple[int, float]] = []
        seen = given = 0
        for key, count in self._mix.items():
            seen += count
            upto = round(waiting * seen / of)
            found.append((upto - given, lengths[key]))
            given = upto
        return found
