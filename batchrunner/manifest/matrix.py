"""How often, and as what, does the matrix repeat each row?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Final

from msgspec import Struct

from .._types import Json, Place
from ..models.wording import bare, show
from .names import Key, is_absent, shown
from .template import Shared, parse_shared

MAX_JOBS_A_ROW: Final = 1_000_000


class Axis(Struct, frozen=True, kw_only=True):
    """One key of the matrix with the values it takes."""

    key: Key
    place: Place
    labels: tuple[str, ...]
    """What each value adds to the id."""
    values: tuple[Shared, ...]


class Combination(Struct, frozen=True, kw_only=True):
    """One value of every axis, and what it adds to the job's id: ``-seed=1-ratio=16:9``."""

    suffix: str
    values: dict[Key, Shared]


class BadAxis(ValueError):
    """A matrix entry that cannot multiply anything: the message says why."""


def parse_axis(key: Key, written: Json, place: Place) -> Axis:
    """Return the axis of one matrix entry, a list or labels with values.  Raises BadAxis, BadTemplate."""
    if isinstance(written, dict):
        labels, values = list(written), list(written.values())
    elif isinstance(written, list):
        labels, values = [_label(value, number) for number, value in enumerate(written, 1)], written
    else:
        raise BadAxis(f"{show(written)} is not a list of values (nor labels with values)")
    if not values:
        raise BadAxis("an empty list: it would leave no job at all")
    if any(is_absent(value) for value in values):
        raise BadAxis("one of the values is empty")
    repeated, times = Counter(labels).most_common(1)[0]
    if times > 1:
        raise BadAxis(f"the value {show(repeated)} stands twice: two jobs would get the same id")
    shared = tuple(parse_shared(value, place) for value in values)
    return Axis(key=key, place=place, labels=tuple(labels), values=shared)


def _label(value: Json, number: int) -> str:
    """Return what *value* adds to an id: itself, or its number in the list when it is a list or mapping."""
    return str(number) if isinstance(value, list | dict) else str(bare(value))


def jobs_a_row(axes: tuple[Axis, ...]) -> int:
    """Return how many jobs each row becomes."""
    return math.prod(len(axis.values) for axis in axes)


def combinations(axes: tuple[Axis, ...]) -> Iterator[Combination]:
    """Yield every combination, the last axis fastest; without a matrix the one that changes nothing."""
    for choice in product(*(range(len(axis.values)) for axis in axes)):
        chosen = list(zip(axes, choice, strict=True))
        yield Combination(
            suffix="".join(f"-{shown(axis.key)}={axis.labels[i]}" for axis, i in chosen),
            values={axis.key: axis.values[i] for axis, i in chosen},
        )
