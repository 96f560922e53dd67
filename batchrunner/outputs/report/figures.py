"""The report's numbers: counts, money, time and run times over all jobs of a folder.

Put together from tallies of some thousand jobs each: a million jobs are gone through once, not at each end.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Final

from msgspec import Struct, field

from ..._types import Json
from ...ledger import Store
from ...lifecycle import State
from ...money.amounts import as_usd
from ..tallies import Tally, united

MOST_BARS: Final = 120
"""A throughput chart has no more bars than a phone can show."""

RUN_TIME_BINS: Final = 24

NICE_WIDTHS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800
)  # fmt: skip
"""Widths of a bar that a person reads at once, up to a week."""

NICE_STEPS: Final = (1, 2, 2.5, 5, 10)


class Throughput(Struct, frozen=True, kw_only=True):
    """Films saved and jobs failed, per bar of time; empty without either."""

    start_at: float
    width_s: float
    saved: tuple[int, ...]
    failed: tuple[int, ...]

    def as_json(self) -> dict[str, Json]:
        return {"start": self.start_at, "width": self.width_s,
                "saved": list(self.saved), "failed": list(self.failed)}  # fmt: skip


class RunTimes(Struct, frozen=True, kw_only=True):
    """How long a model's generations ran, in seconds."""

    count: int
    median_s: float
    p90_s: float
    slowest_s: float
    width_s: float
    first_s: float
    """Where the first bin begins."""
    bins: tuple[int, ...]
    """The last one holds everything slower, too."""

    def as_json(self) -> dict[str, Json]:
        return {"first": self.first_s, "width": self.width_s, "bins": list(self.bins),
                "median": self.median_s, "p90": self.p90_s, "slowest": self.slowest_s}  # fmt: skip


class ModelFigures(Struct, frozen=True, kw_only=True):
    """One model's share of the folder."""

    model: str
    jobs: int
    succeeded: int
    failed: int
    cost_usd: float | None
    run_times: RunTimes | None


class Figures(Struct, frozen=True, kw_only=True):
    """A folder in numbers."""

    states: dict[State, int]
    """Jobs of the manifest, zeros too."""
    gone: int
    """Jobs that are no longer in the manifest."""
    superseded: int
    kinds: dict[str, int]
    """Saved and stored files by kind: video, image, audio."""
    size_bytes: int
    cost_usd: float | None
    """What the service said all attempts cost."""
    first_at: float | None
    last_at: float | None
    busy_s: float
    """How long at least one job was under way: nights between two runs do not count."""
    throughput: Throughput | None
    models: list[ModelFigures] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.states.values())

    def charts(self) -> dict[str, Json]:
        """Return what charts.js draws."""
        times: list[Json] = [each.run_times.as_json() for each in self.models if each.run_times]
        return {"throughput": self.throughput.as_json() if self.throughput else None, "runTimes": times}


def figures_of(store: Store, tallies: Sequence[Tally]) -> Figures:
    """Return the numbers of the folder whose jobs were counted in *tallies*."""
    states: Counter[str] = Counter()
    kinds: dict[str, tuple[int, int]] = {}
    for each in tallies:
        for counts in each.states.values():
            states.update(counts)
        for kind, (n, size_bytes) in each.files.items():
            before = kinds.get(kind, (0, 0))
            kinds[kind] = before[0] + n, before[1] + size_bytes
    stretches = list(united(chain.from_iterable(_pairs(each.under_way_ms) for each in tallies)))
    return Figures(
        states={state: states[state] for state in State},
        gone=sum(each.gone for each in tallies),
        superseded=store.superseded_count(),
        kinds={kind: n for kind, (n, _) in sorted(kinds.items())},
        size_bytes=sum(size_bytes for _, size_bytes in kinds.values()),
        cost_usd=store.cost_usd(),
        first_at=stretches[0][0] / 1000 if stretches else None,
        last_at=stretches[-1][1] / 1000 if stretches else None,
        busy_s=sum(end - start for start, end in stretches) / 1000,
        throughput=_throughput(
            Ordered(each.saved_s for each in tallies), Ordered(each.failed_s for each in tallies)
        ),
        models=_models(tallies),
    )


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(numbers[::2], numbers[1::2], strict=True)


class Ordered:
    """Many numbers in some hundred runs, each in order: counted and found without sorting them together."""

    def __init__(self, runs: Iterable[Sequence[int]]) -> None:
        self._runs = [run for run in runs if run]

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    @property
    def first(self) -> int:
        return min(run[0] for run in self._runs)

    @property
    def last(self) -> int:
        return max(run[-1] for run in self._runs)

    def before(self, mark: float) -> int:
        """Return how many are less than *mark*."""
        return sum(bisect_left(run, mark) for run in self._runs)

    def between(self, marks: Sequence[float]) -> list[int]:
        """Return how many lie from each mark up to the next one."""
        return [after - before for before, after in pairwise(map(self.before, marks))]

    def at(self, share: float) -> int:
        """Return the number that stands at *share* of them all."""
        rank = min(len(self) - 1, int(share * len(self)))
        return bisect_right(range(self.last), rank, self.first, key=lambda mark: self.before(mark + 1))


def _throughput(saved: Ordered, failed: Ordered) -> Throughput | None:
    known = [each for each in (saved, failed) if each]
    if not known:
        return None
    first, last = min(each.first for each in known), max(each.last for each in known)
    width_s = nice_width(last - first)
    start = first // width_s * width_s
    marks = [start + width_s * n for n in range(int((last - start) // width_s) + 2)]
    bars = [tuple(each.between(marks)) for each in (saved, failed)]
    return Throughput(start_at=start, width_s=width_s, saved=bars[0], failed=bars[1])


def nice_width(span_s: float) -> float:
    """Return the width of a bar such that *span_s* takes at most MOST_BARS of them."""
    for width in NICE_WIDTHS_S:
        if span_s / width < MOST_BARS - 1:
            return float(width)
    weeks = math.ceil(span_s / (MOST_BARS - 1) / NICE_WIDTHS_S[-1])
    return float(weeks * NICE_WIDTHS_S[-1])


def _models(tallies: Sequence[Tally]) -> list[ModelFigures]:
    states: dict[str, Counter[str]] = defaultdict(Counter)
    costs: Counter[str] = Counter()
    ran_ms: dict[str, list[Sequence[int]]] = defaultdict(list)
    for each in tallies:
        for model, counts in each.states.items():
            states[model].update(counts)
        costs.update(each.cost_micros)
        for model, run in each.ran_ms.items():
            ran_ms[model].append(run)
    shares = [
        ModelFigures(
            model=model,
            jobs=counts.total(),
            succeeded=counts[State.SUCCEEDED],
            failed=counts[State.FAILED],
            cost_usd=as_usd(costs[model]) if model in costs else None,
            run_times=run_times_of(Ordered(ran_ms[model])) if model in ran_ms else None,
        )
        for model, counts in states.items()
    ]
    return sorted(shares, key=lambda each: (-each.jobs, each.model))


def run_times_of(ran_ms: Ordered) -> RunTimes:
    """Return the distribution of run times in milliseconds, of which there is at least one."""
    low, high = ran_ms.first / 1000, ran_ms.at(0.99) / 1000
    width_s = _nice_step((high - low) / RUN_TIME_BINS or high / RUN_TIME_BINS or 0.1)
    first_s = low // width_s * width_s
    number = int((high - first_s) // width_s) + 1
    marks = [1000 * (first_s + width_s * n) for n in range(number)]
    return RunTimes(
        count=len(ran_ms),
        median_s=ran_ms.at(0.5) / 1000,
        p90_s=ran_ms.at(0.9) / 1000,
        slowest_s=ran_ms.last / 1000,
        width_s=width_s,
        first_s=first_s,
        bins=tuple(ran_ms.between([*marks, math.inf])),
    )


def _nice_step(step: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(step))
    return next((magnitude * nice for nice in NICE_STEPS if magnitude * nice >= step), magnitude * 10)
