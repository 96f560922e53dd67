"""How many jobs are alike in what their price depends on?  Counted as they are read, many at a time.

Asked of a million rows in the ledger, this takes longer than all else that is planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final, TypeAlias

from .._types import Inputs, Json

Alike: TypeAlias = "Counter[tuple[Json, ...]]"
"""How many jobs have these values of some inputs; None for one that a job does not have."""

Counted: TypeAlias = "tuple[tuple[str, Inputs, int], ...]"
"""Models, their inputs of some names, and how many jobs have these."""

MOST_KINDS: Final = 10_000
"""More of them are not worth the memory."""

PLAIN: Final = frozenset({str, int, type(None)})
"""Values of other types may be equal and not the same, as True and 1 are."""

LARGEST: Final = 2**63 - 1
"""SQLite takes a larger number for one with a fraction."""


def alike_among(
    by_name: Mapping[str, Sequence[Json]], shared: Inputs, names: Sequence[str], size: int
) -> Alike | None:
    """Return how many of *size* jobs are alike in the inputs *names*; None where that is not plain to see."""
    columns = [by_name[name] if name in by_name else list(repeat(shared.get(name), size)) for name in names]
    if not all(PLAIN.issuperset(map(type, column)) for column in columns):
        return None
    return Counter(zip(*columns, strict=True)) if columns else Counter({(): size})


class Census:
    """The jobs of a manifest, by model and by their inputs *names*."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._by_model: dict[str, Alike] | None = {}

    def add(self, model: str, alike: Alike | None) -> None:
        """Count some jobs of a model; with None all that was counted is worth nothing."""
        if self._by_model is None or alike is None:
            self._by_model = None
            return
        self._by_model.setdefault(model, Counter()).update(alike)
        if sum(map(len, self._by_model.values())) > MOST_KINDS:
            self._by_model = None

    def add_one(self, model: str, inputs: Inputs) -> None:
        self.add(model, alike_among({}, inputs, self.names, 1))

    def found(self) -> Counted | None:
        """Return what was counted; None where that is not known."""
        if self._by_model is None:
            return None
        each = [(model, *one) for model, alike in self._by_model.items() for one in alike.items()]
        numbers = (value for _, values, _ in each for value in values if isinstance(value, int))
        if any(abs(number) > LARGEST for number in numbers):
            return None
        return tuple((model, self._named(values), n) for model, values, n in each)

    def _named(self, values: tuple[Json, ...]) -> Inputs:
        named = zip(self.names, values, strict=True)
        return {name: value for name, value in named if value is not None}
