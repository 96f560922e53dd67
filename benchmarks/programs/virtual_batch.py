"""A batch in virtual time: jobs that run as long as was drawn, and looks at them, without a clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

NextLook: TypeAlias = Callable[[int, float], float]
"""Job and age in seconds: how long until the next look at it."""
Ended: TypeAlias = Callable[[int, float, float], None]
"""Job, and the ages at the last look that saw it run and at the one that saw its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a way of looking came to."""

    makespan_s: float
    looks_per_job: float
    mean_delay_s: float
    """From a job's end until we know of it."""


def ignore(job: int, lower_s: float, upper_s: float) -> None:
    """Learn nothing from a job's end."""


def play(
    run_times_s: Sequence[float],
    next_look: NextLook,
    ended: Ended = ignore,
    *,
    slots: int,
    latency_s: float,
) -> Outcome:
    """Lead the jobs through *slots*, each freed when a look has seen its job's end.

    A request and its answer take half the latency each; a job runs from the arrival of its submission.
    """
    half_s = latency_s / 2
    looks, delay_s, now = 0, 0.0, 0.0
    due: list[tuple[float, int, float, float]] = []  # when to ask, job, when it began, last age seen running
    jobs = iter(range(len(run_times_s)))

    def submit(now: float) -> None:
        if (job := next(jobs, None)) is not None:
            heapq.heappush(due, (now + latency_s + next_look(job, half_s), job, now + half_s, 0.0))

    for _ in range(slots):
        submit(0.0)
    while due:
        asked_at, job, began_at, ran_s = heapq.heappop(due)
        looks, now, age_s = looks + 1, asked_at + latency_s, asked_at + half_s - began_at
        if age_s < run_times_s[job]:
            heapq.heappush(due, (now + next_look(job, now - began_at), job, began_at, age_s))
            continue
        delay_s += now - began_at - run_times_s[job]
        ended(job, ran_s, age_s)
        submit(now)
    count = len(run_times_s)
    return Outcome(makespan_s=now, looks_per_job=looks / count, mean_delay_s=delay_s / count)
