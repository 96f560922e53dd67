"""What did a benchmark find, and how does the table show it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("figure", "limit", "ours", "ratio", "how")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity, measured against something in the same run."""

    name: str
    unit: str
    ours: float
    limit: float | None = None
    """The same quantity where nothing could be saved any more; None when this run has none."""
    limit_is: str = ""
    """What the limit is, in a few words."""
    how: str

    @property
    def ratio(self) -> float | None:
        return None if self.limit is None else self.ours / self.limit


def table(rounds: Sequence[Sequence[Figure]]) -> str:
    """Return a Markdown table of medians over *rounds*, which hold the same figures in the same order."""
    rows = [HEADINGS, *(_cells(repeats) for repeats in zip(*rounds, strict=True))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(repeats: Sequence[Figure]) -> tuple[str, ...]:
    """One row; with several rounds the ratio's span stands behind its median."""
    first = repeats[0]
    ours = f"{_number(median(figure.ours for figure in repeats))} {first.unit}"
    limits = [figure.limit for figure in repeats if figure.limit is not None]
    ratios = [figure.ratio for figure in repeats if figure.ratio is not None]
    if not ratios:
        return first.name, "", ours, "", first.how
    span = f" ({_number(min(ratios))} to {_number(max(ratios))})" if len(ratios) > 1 else ""
    limit = f"{_number(median(limits))} {first.unit}, {first.limit_is}"
    return first.name, limit, ours, _number(median(ratios)) + span, first.how


def _number(value: float) -> str:
    """Three significant digits; no more are measured."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
