"""What did a benchmark find, does it reach what it must, and how does the table show it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("figure", "limit or peer", "ours", "ratio", "must", "verdict", "how")


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """What a figure has to reach; of several bounds one is enough ("8 s, or three passes")."""

    ratio: float | None = None
    """At most so many times the limit."""
    ours: float | None = None
    """At most so much, whatever the limit."""
    at_least: float | None = None
    """At least so much: where more is better."""

    def is_met(self, ours: float, ratio: float | None) -> bool:
        return (
            (self.ratio is not None and ratio is not None and ratio <= self.ratio)
            or (self.ours is not None and ours <= self.ours)
            or (self.at_least is not None and ours >= self.at_least)
        )

    def words(self, unit: str) -> str:
        bounds = [
            "" if self.ratio is None else f"<= {self.ratio:g}x",
            "" if self.ours is None else f"<= {self.ours:g} {unit}",
            "" if self.at_least is None else f">= {self.at_least:,g} {unit}",
        ]
        return " or ".join(filter(None, bounds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity, measured against something in the same run."""

    name: str
    unit: str
    ours: float
    limit: float | None = None
    """The same quantity where nothing could be saved any more, or a peer's; None when this run has none."""
    limit_is: str = ""
    """What the limit is, in a few words."""
    must: Must | None = None
    """None: shown, not judged."""
    how: str

    @property
    def ratio(self) -> float | None:
        return None if self.limit is None else self.ours / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A figure that could not be taken here, and why."""

    name: str
    why: str


Finding = Figure | Skipped


def table(rounds: Sequence[Sequence[Finding]], *, judged: bool = True) -> str:
    """Return a Markdown table of medians over *rounds*, which hold the same figures in the same order.

    Where the sizes are not those that the bounds speak of, nothing is *judged*.
    """
    rows = [HEADINGS, *(_cells(repeats, judged) for repeats in zip(*rounds, strict=True))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(repeats: Sequence[Finding], judged: bool) -> tuple[str, ...]:
    """One row; with several rounds the ratio's span stands behind its median."""
    figures = [finding for finding in repeats if isinstance(finding, Figure)]
    if not figures:
        skipped = repeats[0]
        assert isinstance(skipped, Skipped)
        return skipped.name, "", "", "", "", "skipped", skipped.why
    first = figures[0]
    ours = median(figure.ours for figure in figures)
    limits = [figure.limit for figure in figures if figure.limit is not None]
    ratios = [figure.ratio for figure in figures if figure.ratio is not None]
    ratio = median(ratios) if ratios else None
    span = f" ({_ratio(min(ratios))} to {_ratio(max(ratios))})" if len(ratios) > 1 else ""
    must = first.must if judged else None
    return (
        first.name,
        f"{_number(median(limits))} {first.unit}, {first.limit_is}" if limits else "",
        f"{_number(ours)} {first.unit}",
        "" if ratio is None else _ratio(ratio) + span,
        "" if must is None else must.words(first.unit),
        "" if must is None else "met" if must.is_met(ours, ratio) else "MISSED",
        first.how,
    )


def _number(value: float) -> str:
    """Three significant digits; no more are measured."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _ratio(value: float) -> str:
    """Near one the third digit after the point is what a bound speaks of."""
    return f"{value:.3f}" if 0.9 <= value < 1.1 else _number(value)
