"""The report's numbers: counts, money, time and run times over all jobs of a folder.

Read as streams: a folder of a million jobs costs a few bytes a job for a moment, never a row.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Final, TypeAlias

from msgspec import Struct, field

from ..._types import Json
from ...ledger import Store
from ...ledger.files import FOLDER_OF_KIND
from ...ledger.stored import has_stored
from ...lifecycle import State

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


Summed: TypeAlias = "tuple[dict[str, tuple[int, int]], Throughput | None]"
"""Files of each kind and their bytes; films saved and jobs failed over time."""

Apart: TypeAlias = "Callable[[Callable[[Store], Summed]], Summed]"
"""Does a part of the work with a reader of its own, in whichever thread."""


def read_figures(store: Store, apart: Apart | None = None) -> Figures:
    """Return the numbers of the folder.

    *apart* does a part of it in another thread: what SQLite sums up needs no interpreter, and a million jobs
    are gone through several times.
    """
    with ThreadPoolExecutor(1) as beside:
        summed = beside.submit(apart, _summed) if apart is not None else None
        first_at, last_at, busy_s = _spans(store)
        models = _models(store)
        kinds, throughput = _summed(store) if summed is None else summed.result()
    return Figures(
        states=store.counts(),
        gone=store.count("NOT in_manifest"),
        superseded=store.superseded_count(),
        kinds={kind: n for kind, (n, _) in kinds.items() if n},
        size_bytes=sum(size_bytes for _, size_bytes in kinds.values()),
        cost_usd=store.cost_usd(),
        first_at=first_at,
        last_at=last_at,
        busy_s=busy_s,
        throughput=throughput,
        models=models,
    )


def _summed(store: Store) -> Summed:
    return _files(store), _throughput(store)


def _files(store: Store) -> dict[str, tuple[int, int]]:
    """Return how many files there are of each kind, and their bytes."""
    kinds = sorted(FOLDER_OF_KIND)
    sums = ("count(*)", "sum(bytes)")
    columns = ", ".join(f"{of} FILTER (WHERE kind = '{kind}')" for kind in kinds for of in sums)
    # With nothing superseded every file is a job's latest, and no job need be looked at.
    latest = "JOIN jobs ON seq = a.job AND jobs.generation = a.generation" if store.superseded_count() else ""
    is_there = "+a.saved_at IS NOT NULL"  # in the table's order: an index has them in that of their names
    if has_stored(store):
        latest += " LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)"
        is_there += " OR s.url IS NOT NULL"
    found = store.connection.execute(
        f"SELECT {columns} FROM artifacts a {latest} WHERE {is_there}"
    ).fetchone()
    return {kind: (found[2 * at], found[2 * at + 1] or 0) for at, kind in enumerate(kinds)}


def _spans(store: Store) -> tuple[float | None, float | None, float]:
    """Return the first and the last instant of work, and the length of the union of all jobs' times."""
    spans = _plain_rows(
        store,
        "SELECT a.submitted_at, max(ifnull(a.completed_at, a.submitted_at),"
        "   iif(a.number = j.attempts AND a.generation = j.generation, ifnull(j.saved_at, 0), 0))"
        " FROM attempts a JOIN jobs j ON seq = job WHERE a.submitted_at IS NOT NULL ORDER BY 1",
    )
    first: float | None = None
    last, busy_s = -math.inf, 0.0
    for start, end in spans:
        if end > last:  # of many jobs at once most add nothing
            if first is None:
                first = start
            busy_s += end - (start if start > last else last)  # noqa: FURB136 (a million calls of max())
            last = end
    return first, None if first is None else last, busy_s


def _plain_rows(store: Store, query: str) -> sqlite3.Cursor:
    """Return rows that are tuples: those with names take as long again."""
    cursor = store.connection.cursor()
    cursor.row_factory = None
    return cursor.execute(query)


_SAVED: Final = f"state = '{State.SUCCEEDED}' AND saved_at IS NOT NULL"

_FAILED: Final = f"state = '{State.FAILED}' AND completed_at IS NOT NULL"


def _throughput(store: Store) -> Throughput | None:
    ends = [
        end
        for at, where in (("saved_at", _SAVED), ("completed_at", _FAILED))
        for end in store.connection.execute(f"SELECT min({at}), max({at}) FROM jobs WHERE {where}").fetchone()
        if end is not None
    ]
    if not ends:
        return None
    first, last = min(ends), max(ends)
    width_s = nice_width(last - first)
    start = first // width_s * width_s
    bars = [[0] * (int((last - start) // width_s) + 1) for _ in range(2)]
    for at, where, counted in (("saved_at", _SAVED, bars[0]), ("completed_at", _FAILED, bars[1])):
        found = store.connection.execute(
            f"SELECT CAST(({at} - ?) / ? AS INTEGER), count(*) FROM jobs WHERE {where} GROUP BY 1",
            (start, width_s),
        )
        for bar, n in found:
            counted[min(bar, len(counted) - 1)] += n
    saved, failed = bars
    return Throughput(start_at=start, width_s=width_s, saved=tuple(saved), failed=tuple(failed))


def nice_width(span_s: float) -> float:
    """Return the width of a bar such that *span_s* takes at most MOST_BARS of them."""
    for width in NICE_WIDTHS_S:
        if span_s / width < MOST_BARS - 1:
            return float(width)
    weeks = math.ceil(span_s / (MOST_BARS - 1) / NICE_WIDTHS_S[-1])
    return float(weeks * NICE_WIDTHS_S[-1])


def _models(store: Store) -> list[ModelFigures]:
    models = [row[0] for row in store.connection.execute("SELECT DISTINCT model FROM jobs")]
    shares = _shares_of(store) if len(models) > 1 else [_all(store, model) for model in models]
    known = [each for each in shares if each.jobs]
    return sorted(known, key=lambda each: (-each.jobs, each.model))


def _all(store: Store, model: str) -> ModelFigures:
    """Return the figures of the only *model*, which are the folder's: nothing has to be sorted by it."""
    seconds = array("d", map(itemgetter(0), _plain_rows(store, _RUN_TIMES.format(of=" FROM attempts"))))
    return _share(model, store.counts(), store.cost_usd(), seconds)


def _shares_of(store: Store) -> Iterator[ModelFigures]:
    """Yield the figures of each of several models."""
    counts: dict[str, Counter[State]] = defaultdict(Counter)
    for model, state, n in store.connection.execute(
        "SELECT model, state, count(*) FROM jobs WHERE in_manifest GROUP BY model, state"
    ):
        counts[model][State(state)] = n
    costs = dict(
        store.connection.execute(
            "SELECT model, sum(attempts.cost_usd) FROM attempts JOIN jobs ON seq = job GROUP BY model"
        ).fetchall()
    )
    times: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for seconds, model in _plain_rows(
        store, _RUN_TIMES.format(of=", model FROM attempts JOIN jobs ON seq = job")
    ):
        times[model].append(seconds)
    return (_share(model, states, costs.get(model), times[model]) for model, states in counts.items())


_RUN_TIMES: Final = """SELECT (ran_at_least_s + ran_at_most_s) / 2{of}
    WHERE ran_at_most_s IS NOT NULL ORDER BY 1"""
"""Each is taken as the middle of what the looks showed; sorted by SQLite: a million floats are 32 MB here."""


def _share(
    model: str, states: Mapping[State, int], cost_usd: float | None, ordered: array[float]
) -> ModelFigures:
    return ModelFigures(
        model=model,
        jobs=sum(states.values()),
        succeeded=states.get(State.SUCCEEDED, 0),
        failed=states.get(State.FAILED, 0),
        cost_usd=cost_usd,
        run_times=run_times_of(ordered) if ordered else None,
    )


def run_times_of(ordered: array[float]) -> RunTimes:
    """Return the distribution of seconds, *ordered*, of which there is at least one."""
    low, high = ordered[0], _quantile(ordered, 0.99)
    width_s = _nice_step((high - low) / RUN_TIME_BINS or high / RUN_TIME_BINS or 0.1)
    first_s = low // width_s * width_s
    number = int((high - first_s) // width_s) + 1
    marks = [bisect_left(ordered, first_s + width_s * n) for n in range(number)]
    bins = [after - before for before, after in zip(marks, [*marks[1:], len(ordered)], strict=True)]
    return RunTimes(
        count=len(ordered),
        median_s=_quantile(ordered, 0.5),
        p90_s=_quantile(ordered, 0.9),
        slowest_s=ordered[-1],
        width_s=width_s,
        first_s=first_s,
        bins=tuple(bins),
    )


def _quantile(ordered: array[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _nice_step(step: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(step))
    return next((magnitude * nice for nice in NICE_STEPS if magnitude * nice >= step), magnitude * 10)
