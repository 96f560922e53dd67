"""What will this run cost, how long will it take, and does the balance suffice?

Pure: the submissions of a plan, prices and measured run times in; numbers out.  Each job counts once, as if
its first attempt worked; what nobody knows stays unknown and is said to be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from .._types import Inputs, Json
from .amounts import as_usd
from .pricing import Price, Prices


class Line(Struct, frozen=True, kw_only=True):
    """What the jobs of one model cost."""

    model: str
    jobs: int
    micros: int
    """What those cost whose price is known, in micro-dollars."""
    unpriced: int
    """Jobs whose price is not known."""
    price: str
    """The price in words; where there is none, why."""
    note: str = ""

    def as_json(self) -> dict[str, Json]:
        cost = None if self.unpriced else as_usd(self.micros)
        return {"model": self.model, "jobs": self.jobs, "cost_usd": cost, "unpriced": self.unpriced,
                "price": self.price, "note": self.note or None}  # fmt: skip


class Balance(Struct, frozen=True, kw_only=True):
    """What is left on the account, in micro-dollars, or why that is not known."""

    micros: int | None = None
    why_not: str = ""


class Quote(Struct, frozen=True, kw_only=True):
    """The answer, for one plan."""

    lines: tuple[Line, ...] = ()
    estimated_s: float | None = None
    """How long the submissions take; None without a measured run time."""
    balance: Balance = field(default_factory=Balance)
    cap_micros: int | None = None
    """``--max-cost``."""
    committed_micros: int = 0
    """What all attempts of the folder cost so far, or are taken to cost."""
    unknown_before: str = ""
    """Why an earlier attempt counts for nothing there; empty when all of them are counted."""

    @property
    def room_micros(self) -> int | None:
        """What is left under the cap."""
        return None if self.cap_micros is None else max(0, self.cap_micros - self.committed_micros)

    @property
    def at_most_micros(self) -> int:
        """What the run costs as far as prices are known, and never more than is left under the cap."""
        return self.known_micros if self.room_micros is None else min(self.known_micros, self.room_micros)

    @property
    def known_micros(self) -> int:
        """What the jobs cost whose price is known."""
        return sum(line.micros for line in self.lines)

    @property
    def unpriced(self) -> int:
        """Jobs whose price is not known."""
        return sum(line.unpriced for line in self.lines)

    @property
    def micros(self) -> int | None:
        """What all of them cost; None where that of a single one is not known."""
        return None if self.unpriced else self.known_micros

    @property
    def suffices(self) -> bool | None:
        """Whether the balance covers what is known to be needed; None where nothing can be said."""
        if self.balance.micros is None or not self.lines:
            return None
        if self.balance.micros < self.known_micros:
            return False
        return None if self.unpriced else True

    def as_json(self) -> dict[str, Json]:
        balance, cap, room = self.balance.micros, self.cap_micros, self.room_micros
        return {
            "cost_usd": None if self.micros is None else as_usd(self.micros),
            "costs": [line.as_json() for line in self.lines],
            "balance_usd": None if balance is None else as_usd(balance),
            "balance_suffices": self.suffices,
            "committed_usd": as_usd(self.committed_micros),
            "max_cost_usd": None if cap is None else as_usd(cap),
            "max_cost_left_usd": None if room is None else as_usd(room),
            "estimated_s": None if self.estimated_s is None else round(self.estimated_s, 1),
        }


def make_quote(
    submissions: Iterable[tuple[str, Inputs, int]],
    prices: Prices,
    *,
    run_times_s: Mapping[str, float],
    concurrency: int,
    balance: Balance,
    cap_micros: int | None = None,
    committed_micros: int = 0,
    unknown_before: str = "",
) -> Quote:
    """Return what *submissions* (model, inputs, and how many jobs are alike) cost and take.

    *run_times_s* holds the mean run time measured of each model; one that was never run is taken to be like
    the others.
    """
    jobs: dict[str, int] = defaultdict(int)
    micros: dict[str, int] = defaultdict(int)
    unpriced: dict[str, int] = defaultdict(int)
    for model, inputs, alike in submissions:
        jobs[model] += alike
        cost = prices.of(model, inputs)
        if cost is None:
            unpriced[model] += alike
        else:
            micros[model] += cost * alike
    lines = tuple(_line(prices, model, n, micros[model], unpriced[model]) for model, n in jobs.items())
    return Quote(
        lines=lines,
        estimated_s=_time_s(jobs, run_times_s, concurrency),
        balance=balance,
        cap_micros=cap_micros,
        committed_micros=committed_micros,
        unknown_before=unknown_before,
    )


def mean_run_times(measured: Iterable[tuple[str, float, float]]) -> dict[str, float]:
    """Return each model's mean run time; *measured* says between what and what each one lay."""
    found: dict[str, list[float]] = defaultdict(list)
    for model, at_least_s, at_most_s in measured:
        found[model].append((at_least_s + at_most_s) / 2)
    return {model: sum(times) / len(times) for model, times in found.items()}


def _line(prices: Prices, model: str, jobs: int, micros: int, unpriced: int) -> Line:
    price = prices.by_model.get(model)
    known = isinstance(price, Price) and not unpriced
    note = price.note if isinstance(price, Price) else ""
    words = str(price) if known else prices.why_not(model)
    return Line(model=model, jobs=jobs, micros=micros, unpriced=unpriced, price=words, note=note)


def _time_s(jobs: Mapping[str, int], run_times_s: Mapping[str, float], concurrency: int) -> float | None:
    if not run_times_s or not jobs:
        return None
    unmeasured_s = sum(run_times_s.values()) / len(run_times_s)
    whole_s = sum(n * run_times_s.get(model, unmeasured_s) for model, n in jobs.items())
    longest_s = max(run_times_s.get(model, unmeasured_s) for model in jobs)
    return max(longest_s, whole_s / concurrency)
