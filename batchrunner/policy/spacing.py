"""When is the next look at a job that runs, or waits in the service's queue?

A look costs something, and so does each second in which an end goes unseen.  Together they are least when
the looks at age t are sqrt(2 cost / hazard(t)) apart: sparse while an end is unlikely, dense where it is
likely, wider again in the tail.

Pure: the caller passes ages and instants in seconds, and `uniform`, a draw from [0, 1).
Derivation and figures: docs/decisions/0007-polling-by-hazard.md
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from operator import mul
from typing import Final

from .runtimes import BINS, EDGES, MOST_SETTINGS, WIDTHS, Course, Key, Outlook, RunTimes, at

PRICE_OF_A_LOOK: Final = 0.0015
"""One look more at every job must bring the batch to its end this share of the time earlier."""
PRICE_OF_THE_DENSEST: Final = 0.01
"""Looking as often as the user allows, all the time, must bring this share as well."""
JITTER: Final = 0.1
"""Waits are spread by this share, both ways, so that jobs which began together are not looked at together."""
START_KNOWN: Final = 0.1
"""When a queued job begins need not be known more exactly than this share of the median run time."""
BEAT_S: Final = 0.05
"""Looks that fall due within the same beat go out together: the process wakes once for all of them.

A look that goes alone costs four times as much CPU as one of fifty, two and a half times as one of ten."""
QUEUE_MEMORY_S: Final = 600.0
"""How much watched queueing the queue's speed is taken from, summed over the jobs in it."""


def on_the_beat(wait_s: float, now: float, shortest_s: float) -> float:
    """Return the instant of the beat nearest to the wait's end, yet never one before the shortest wait's.

    As many looks come sooner by it as later, so ends are seen as early as without.  A wait of less than a
    beat stays as it is.
    """
    if wait_s < BEAT_S:
        return now + wait_s
    beat = round((now + wait_s) / BEAT_S)
    return (beat if beat * BEAT_S - now >= min(shortest_s, wait_s) else beat + 1) * BEAT_S


def cost_s(length_s: float, shortest_s: float) -> float:
    """Return how many seconds of delay a look is worth at jobs of this length.

    From least (delay + looks x cost) = least (delay / length + A looks + B shortest looks / length).
    """
    return PRICE_OF_A_LOOK * length_s + PRICE_OF_THE_DENSEST * shortest_s


class _Plan:
    """The looks at jobs of one outlook, summed up over their age."""

    def __init__(self, outlook: Outlook, shortest_s: float) -> None:
        self.outlook = outlook
        self.median_s = outlook.median_s or 0.0
        lengths_s = [self.median_s] if self.median_s else EDGES[1:]  # unknown: as long as it is old
        per_hazard = [0.5 / cost_s(length_s, shortest_s) for length_s in lengths_s]
        if self.median_s:
            per_hazard *= BINS
        looks: Iterator[float] = map(mul, WIDTHS, map(math.sqrt, map(mul, outlook.hazards, per_hazard)))
        self.looks = list(accumulate(looks, initial=0.0))

    def wait_s(self, age_s: float, looks: float) -> float:
        """Return the seconds in which this many looks are due (1: the next one)."""
        due = at(age_s, self.looks) + looks
        i = bisect_right(self.looks, due) - 1
        if i >= BINS:
            return math.inf
        share = (due - self.looks[i]) / (self.looks[i + 1] - self.looks[i])
        return EDGES[i] + share * WIDTHS[i] - age_s


class _QueueSpeed:
    """How many places a job moves on per second."""

    def __init__(self) -> None:
        self.places = 0.0
        self.seconds = 0.0

    def moved(self, places: float, seconds: float) -> None:
        kept = math.exp(-seconds / QUEUE_MEMORY_S)
        self.places = self.places * kept + places  # less than none: others were let in before it
        self.seconds = self.seconds * kept + seconds

    def wait_s(self, position: int) -> float | None:
        """Return how long a job at *position* still waits; None while the queue was not seen to move."""
        return max(1, position) * self.seconds / self.places if self.places > 0 else None


class Spacing:
    """Places the looks; one per run, shared by all jobs."""

    def __init__(self, run_times: RunTimes, shortest_s: float) -> None:
        """*shortest_s* is the shortest wait between two looks at a job."""
        self.run_times = run_times
        self._shortest_s = shortest_s
        self._plans: dict[Key, _Plan] = {}
        self._queues: dict[str, _QueueSpeed] = {}

    def set_shortest(self, seconds: float) -> None:
        """Change the shortest wait between two looks, from the next look on."""
        self._shortest_s = seconds
        self._plans.clear()

    def next_look_s(
        self, key: Key, age_s: float, uniform: float, crowd: float = 1.0, since_s: float = 0.0
    ) -> float:
        """Return the seconds until the next look at a job that has run for *age_s*.

        Never below the shortest wait; otherwise never above the median run time or half the age, whichever
        is greater.  *crowd* is the share of the slots in use where no job waits for one, else 1: a delay of
        one of the last jobs is more likely to be the batch's own.  *since_s* ago the last look went out: the
        shortest wait is from look to look, however long an answer is on its way.
        """
        plan = self._plan(key)
        wait_s = plan.wait_s(age_s, math.sqrt(crowd) * _jittered(uniform))
        return self._within(wait_s, max(plan.median_s, age_s / 2), uniform, since_s)

    def next_queue_look_s(
        self, key: Key, position: int | None, waited_s: float, uniform: float, since_s: float = 0.0
    ) -> float:
        """Return the seconds until the next look at a job that has been in the queue for *waited_s*.

        That is when it should be half-way to its start; if nobody knows, after half the time it has waited.
        The bounds are those of `next_look_s`, with the time in the queue for the age.
        """
        median_s, speed = self._plan(key).median_s, self._queues.get(key.model)
        remaining_s = speed.wait_s(position) if speed and position is not None else None
        half_s = (waited_s if remaining_s is None else remaining_s) / 2
        wait_s = max(half_s, START_KNOWN * median_s) * _jittered(uniform)
        return self._within(wait_s, max(median_s, waited_s / 2), uniform, since_s)

    def queue_moved(self, key: Key, places: int, seconds: float) -> None:
        """A job of this model moved on by so many places; its start counts as the last one."""
        self._queues.setdefault(key.model, _QueueSpeed()).moved(places, seconds)

    def lookout(self, key: Key, *, accepted_at: float, taken_over: bool = False) -> Lookout:
        """Return what watches one job, accepted at this instant; *taken_over*: by an earlier run."""
        return Lookout(self, key, Course(accepted_at=accepted_at), learns=not taken_over)

    def _within(self, wait_s: float, longest_s: float, uniform: float, since_s: float) -> float:
        return max(min(wait_s, longest_s), self._shortest_s * (1 + JITTER * uniform) - since_s)

    def _plan(self, key: Key) -> _Plan:
        outlook = self.run_times.outlook(key)
        plan = self._plans.get(key)
        if plan is None or plan.outlook is not outlook:
            if len(self._plans) > MOST_SETTINGS:
                self._plans.clear()
            plan = self._plans[key] = _Plan(outlook, self._shortest_s)
        return plan


def _jittered(uniform: float) -> float:
    return 1 + JITTER * (2 * uniform - 1)


class Lookout:
    """Watches one job for `Spacing`: each answer asks when to look next, and all of them are learnt from."""

    def __init__(self, spacing: Spacing, key: Key, course: Course, *, learns: bool) -> None:
        self._spacing = spacing
        self._key = key
        self._course = course
        self._learns = learns
        self._position: int | None = None
        self.looked_at = course.accepted_at
        """When the latest look went out; before the first: when the job was accepted."""

    def first_s(self, now: float, uniform: float, crowd: float = 1.0) -> float:
        """Return the seconds until the first look."""
        return self._next_look_s(now, uniform, crowd)

    def queued_s(self, now: float, position: int | None, uniform: float) -> float:
        """It was seen in the queue: return the seconds until the next look."""
        self._moved_to(position, now)
        self._course.seen_queued(now)
        waited_s, since_s = now - self._course.accepted_at, now - self.looked_at
        return self._spacing.next_queue_look_s(self._key, position, waited_s, uniform, since_s)

    def running_s(self, now: float, uniform: float, crowd: float = 1.0) -> float:
        """It was seen running: return the seconds until the next look."""
        self._moved_to(0, now)
        self._position = None
        self._course.seen_running(now)
        return self._next_look_s(now, uniform, crowd)

    def ended(self, now: float) -> tuple[float, float] | None:
        """It was seen at its end: learn from it and return the shortest and longest run time that fit.

        None for an earlier run's job that ended while nobody looked: it teaches nothing.
        """
        if not self._learns and self._course.running_at is None:
            return None
        bracket_s = self._course.bracket_s(now)
        self._spacing.run_times.learn(self._key, *bracket_s)
        return bracket_s

    def _next_look_s(self, now: float, uniform: float, crowd: float) -> float:
        age_s, since_s = self._course.age_s(now), now - self.looked_at
        return self._spacing.next_look_s(self._key, age_s, uniform, crowd, since_s)

    def _moved_to(self, position: int | None, now: float) -> None:
        if self._position is not None and position is not None:
            self._spacing.queue_moved(self._key, self._position - position, now - self._course.not_begun_at)
        self._position = position


class Pacer:
    """One budget of looks per second for all jobs.

    Turns are given in the order in which looks fall due, and a job has one look due at a time.  So when the
    budget is short, the looks of all jobs are late by the same; no model, age or setting is preferred.
    """

    def __init__(self, per_s: float) -> None:
        """*per_s* above zero; infinity for no budget."""
        self._apart_s = 1 / per_s
        self._free_at = -math.inf

    def turn_s(self, now: float) -> float:
        """Return how long a look that is due *now* has to wait for its turn, which is then taken."""
        turn_at = max(now, self._free_at)
        self._free_at = turn_at + self._apart_s
        return turn_at - now
