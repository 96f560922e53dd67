"""What do looks placed by hazard save, in virtual time, against a fixed interval and against the ideal?

The learner starts from nothing in each case.  The limit of a makespan is list scheduling without a network;
looks are compared with the fixed interval that sees the ends with the same mean delay.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from batchrunner.policy.runtimes import Key, RunTimes
from batchrunner.policy.spacing import Spacing

from .figures import Figure, Must
from .programs.virtual_batch import Outcome, play
from .scale import Scale
from .simulator import list_schedule_s

SLOTS: Final = 50
LATENCY_S: Final = 0.02
MEAN_S: Final = 65.0
SEED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A batch's run times, and what is known of them beforehand."""

    name: str
    run_times_s: Sequence[float]
    settings: int = 1
    """Every n-th job has the same setting, which is its key."""
    shortest_s: float = 1.0
    makespan: Must | None = None
    looks: Must | None = None
    """Against the fixed interval with the same mean delay."""
    most_looks: float | None = None


class _Learner:
    """The policy under test; it also takes the time its decisions need."""

    def __init__(self, case: _Case) -> None:
        self.run_times = RunTimes()
        self.spacing = Spacing(self.run_times, case.shortest_s)
        self.keys = [Key("model", (f"setting={i}",)) for i in range(case.settings)]
        self.uniform = random.Random(SEED).random
        self.seconds = 0.0

    def next_look_s(self, job: int, age_s: float) -> float:
        began = time.process_time()
        wait_s = self.spacing.next_look_s(self.keys[job % len(self.keys)], age_s, self.uniform())
        self.seconds += time.process_time() - began
        return wait_s

    def learn(self, job: int, lower_s: float, upper_s: float) -> None:
        began = time.process_time()
        self.run_times.learn(self.keys[job % len(self.keys)], lower_s, upper_s)
        self.seconds += time.process_time() - began


def polling(scale: Scale, folder: Path) -> list[Figure]:
    """Play each case by hazard, and by the fixed interval of the same mean delay; *folder* stays empty."""
    figures: list[Figure] = []
    looks = seconds = 0.0
    for case in _cases(scale.jobs, random.Random(SEED)):
        learner = _Learner(case)
        ours = play(case.run_times_s, learner.next_look_s, learner.learn, slots=SLOTS, latency_s=LATENCY_S)
        figures += _compared(case, ours)
        looks += ours.looks_per_job * len(case.run_times_s)
        seconds += learner.seconds
    decision = Figure(name="polling: a decision, learning included", unit="us", ours=1e6 * seconds / looks,
                      how=f"{looks:,.0f} looks of the cases above")  # fmt: skip
    return [*figures, _doubling(scale.jobs), decision]


def _cases(jobs: int, rng: random.Random) -> Iterator[_Case]:
    """Yield batches eight times the size of those that are led over a network; the short one as large."""
    many = 8 * jobs
    spread = [_lognormal(rng, MEAN_S, 0.42) for _ in range(many)]
    alike = [_lognormal(rng, MEAN_S, 0.15) for _ in range(many)]
    two = [_lognormal(rng, (40.0, 90.0)[i % 2], 0.12) for i in range(many)]
    drifting = [_lognormal(rng, 45.0 if 2 * i < many else 90.0, 0.2) for i in range(many)]
    memoryless = [rng.expovariate(1 / MEAN_S) for _ in range(many)]
    short = [_lognormal(rng, 2.2, 0.42) for _ in range(jobs)]
    yield _Case(name="65 s, widely spread", run_times_s=spread,
                makespan=Must(ratio=1.025), looks=Must(ratio=0.70), most_looks=16)  # fmt: skip
    yield _Case(name="65 s, widely spread, default wait", run_times_s=spread, shortest_s=2.0)
    yield _Case(name="65 s, one setting", run_times_s=alike, looks=Must(ratio=0.35))
    yield _Case(name="40 and 90 s, pooled", run_times_s=two)
    yield _Case(name="40 and 90 s, keyed", run_times_s=two, settings=2,
                makespan=Must(ratio=1.015), most_looks=11)  # fmt: skip
    yield _Case(name="40 and 90 s, keyed, default wait", run_times_s=two, settings=2, shortest_s=2.0)
    yield _Case(name="45 s, then 90 s", run_times_s=drifting)
    yield _Case(name="65 s, memoryless", run_times_s=memoryless, looks=Must(ratio=1.10))
    yield _Case(name="2 s, widely spread", run_times_s=short, shortest_s=0.05)


def _lognormal(rng: random.Random, mean_s: float, sigma: float) -> float:
    return rng.lognormvariate(math.log(mean_s) - sigma**2 / 2, sigma)


def _compared(case: _Case, ours: Outcome) -> list[Figure]:
    """A fixed interval sees an end half of itself late, and an answer is under way for the latency."""
    interval_s = 2 * (ours.mean_delay_s - LATENCY_S)
    fixed = play(case.run_times_s, lambda job, age_s: interval_s, slots=SLOTS, latency_s=LATENCY_S)
    setting = f"shortest wait {case.shortest_s:g} s"
    how = f"{setting}; the fixed interval of the same mean delay, {fixed.mean_delay_s:.2g} s"
    figures = [
        _makespan(f"polling: makespan, {case.name}", case, ours, setting),
        Figure(name=f"polling: looks per job, {case.name}", unit="looks", ours=ours.looks_per_job,
               limit=fixed.looks_per_job, limit_is=f"every {interval_s:.2g} s", must=case.looks, how=how),
    ]  # fmt: skip
    if case.most_looks is not None:
        name, most = f"polling: all looks per job, {case.name}", Must(ours=case.most_looks)
        how = f"at the makespan above; {setting}"
        figures.append(Figure(name=name, unit="looks", ours=ours.looks_per_job, must=most, how=how))
    return figures


def _doubling(jobs: int) -> Figure:
    """The usual advice: 1, 2, 4, ... up to 30 seconds."""
    case = replace(next(_cases(jobs, random.Random(SEED))), makespan=None)
    run_times_s = case.run_times_s
    advice = play(
        run_times_s, lambda job, age_s: min(30.0, max(1.0, age_s)), slots=SLOTS, latency_s=LATENCY_S
    )
    return _makespan(f"polling: makespan with doubling waits, {case.name}", case, advice, "1 to 30 s")


def _makespan(name: str, case: _Case, outcome: Outcome, setting: str) -> Figure:
    ideal_s = list_schedule_s(case.run_times_s, SLOTS)
    how = (
        f"{len(case.run_times_s):,} jobs, {setting}, "
        f"{outcome.looks_per_job:.3g} looks a job, mean delay {outcome.mean_delay_s:.2g} s"
    )
    return Figure(name=name, unit="s", ours=outcome.makespan_s, limit=ideal_s,
                  limit_is="ideal list schedule", must=case.makespan, how=how)  # fmt: skip
