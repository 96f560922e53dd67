"""Which columns does a table of this folder's jobs have, and what is in each?

Programs that read tables want one type a column, from the first row to the last; inputs of several models,
and notes that people wrote, need not have one.  All jobs are looked at once; a column whose values share
no type (or are mappings) holds JSON text throughout, and a job without a value has null.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from .._types import Json
from ..ledger import Store
from .results import json_line

MOST_COLUMNS: Final = 500
"""Names beyond that (a note called after each row, say) become one column of JSON text."""

EXACT: Final = 2**53
"""Whole numbers beyond it do not survive in a column that has fractions too."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"  # 64 bits
    NUMBER = "number"
    FLAG = "flag"
    JSON = "json"  # text: what has no one type, or is no plain value


# Plain texts while all jobs are looked at: an enumeration's member is hashed in Python, ten times as slowly.
LIST: Final = "list of "
LONG: Final = "long integer"
INTEGER: Final = str(Kind.INTEGER)
JSON: Final = str(Kind.JSON)
WORDS: Final[Mapping[type, str]] = {str: str(Kind.TEXT), float: str(Kind.NUMBER), bool: str(Kind.FLAG)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One input or note as a column."""

    name: str
    source: str
    """The ledger's column: ``inputs`` or ``meta``."""
    key: str | None
    """The name in there; None for the whole of it."""
    kind: Kind
    is_list: bool = False

    def value(self, source: dict[str, Json]) -> Json:
        """Return this column's value of a job, null for none; *source* is its inputs or notes."""
        value: Json = source if self.key is None else source.get(self.key)
        if value is None or self.kind is not Kind.JSON:
            return value
        return json_line(value)


def survey(store: Store, reserved: Collection[str], where: str = "1") -> list[Column]:
    """Return the columns of the jobs that satisfy the SQL condition *where*: inputs, then ``meta.NAME``.

    An input whose name is *reserved* for a column of ours is called ``input.NAME``.
    """
    taken = set(reserved)
    found = chain(_columns_of(store, "inputs", where), _columns_of(store, "meta", where))
    return [_named(column, taken) for column in found]


def _columns_of(store: Store, source: str, where: str) -> Iterator[Column]:
    """Yield the columns under the names they have in *source*."""
    shapes: dict[str, set[str]] = defaultdict(set)
    for (written,) in store.connection.execute(f"SELECT {source} FROM jobs WHERE {where}"):
        if written == "{}":
            continue
        for name, value in json.loads(written).items():
            word = WORDS.get(value.__class__)
            if word is not None:
                shapes[name].add(word)
            else:
                shapes[name].update(_shapes_of(value))
        if len(shapes) > MOST_COLUMNS:
            yield Column(name=source, source=source, key=None, kind=Kind.JSON)
            return
    for name in sorted(shapes):
        kind, is_list = _kind_of(shapes[name])
        yield Column(name=name, source=source, key=name, kind=kind, is_list=is_list)


def _shapes_of(value: Json) -> Collection[str]:
    """Return what *value* is: a Kind's word or LONG, a list's with LIST before it; nothing for null."""
    match value:
        case None:
            return ()
        case int() if value.__class__ is int:
            return (INTEGER if -EXACT <= value <= EXACT else LONG if _fits(value) else JSON,)
        case list() if (types := {*map(type, value)}) <= WORDS.keys():
            return (LIST, *(LIST + WORDS[one] for one in types))
        case list():
            return {LIST, *(LIST + shape for item in value for shape in _shapes_of(item) or (JSON,))}
        case _:
            return (WORDS.get(value.__class__, JSON),)


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _kind_of(shapes: set[str]) -> tuple[Kind, bool]:
    """Return the one type that values of all *shapes* have, and whether they are lists of it."""
    is_list = LIST in shapes
    if is_list and not all(shape.startswith(LIST) for shape in shapes):
        return Kind.JSON, False
    inner = {shape.removeprefix(LIST) for shape in shapes} - {""}
    if inner == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER, is_list
    if inner <= {Kind.INTEGER, LONG}:
        return (Kind.INTEGER if inner else Kind.TEXT), is_list
    if len(inner) > 1 or inner & {Kind.JSON, LIST}:
        return Kind.JSON, False
    return Kind(inner.pop()), is_list


def _named(column: Column, taken: set[str]) -> Column:
    """Give the column a name of its own."""
    name = column.name.encode("utf-8", "replace").decode()  # as json_line writes it
    if column.source == "meta" and column.key is not None:
        name = f"meta.{name}"
    while name in taken:
        name = f"input.{name}" if column.source == "inputs" else f"meta.{name}"
    taken.add(name)
    return Column(name=name, source=column.source, key=column.key, kind=column.kind, is_list=column.is_list)


def cells(columns: list[Column], inputs: dict[str, Json], meta: dict[str, Json]) -> dict[str, Json]:
    """Return the columns of one job, null where it has no value."""
    sources = {"inputs": inputs, "meta": meta}
    return {column.name: column.value(sources[column.source]) for column in columns}
