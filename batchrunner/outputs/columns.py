"""Which columns does a table of this folder's jobs have, and what is in each?

Programs that read tables want one type a column, from the first row to the last; inputs of several models,
and notes that people wrote, need not have one.  All jobs are looked at once; a column whose values share
no type (or are mappings) holds JSON text throughout, and a job without a value has null.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Any, Final

import orjson
from msgspec import Struct, field

from .._types import Json
from ..ledger import Store
from .lines import AT_ONCE, IN_PIECE, Piece, TooLarge, gathered, json_line

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


class Column(Struct, frozen=True, kw_only=True):
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
    return look_at(store, "jobs", where).columns(reserved)


class Looked(Struct, frozen=True):
    """What was found when many jobs were looked at."""

    inputs: Shapes = field(default_factory=lambda: Shapes())
    notes: Shapes = field(default_factory=lambda: Shapes())
    models: set[str] = field(default_factory=set)
    counted: list[tuple[Any, ...]] = field(default_factory=list)
    """What the caller had counted, of some jobs each."""

    def include(self, other: Looked) -> None:
        """Add what was found in other jobs."""
        self.inputs.include(other.inputs)
        self.notes.include(other.notes)
        self.models.update(other.models)
        self.counted.extend(other.counted)

    def as_text(self) -> str:
        """Return all of it as JSON, which `from_text` reads."""
        return json.dumps(
            [self.inputs.as_json(), self.notes.as_json(), sorted(self.models), self.counted],
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str) -> Looked:
        inputs, notes, models, counted = json.loads(text)
        return cls(
            inputs=Shapes.from_json(inputs),
            notes=Shapes.from_json(notes),
            models=set(models),
            counted=[tuple(each) for each in counted],
        )

    def columns(self, reserved: Collection[str]) -> list[Column]:
        """Return the columns, none of which has one of the names *reserved*."""
        taken = set(reserved)
        found = [*_columns_of(self.inputs, "inputs"), *_columns_of(self.notes, "meta")]
        return [_named(column, taken) for column in found]


def look_at(store: Store, joined: str, where: str, count: Sequence[str] = ()) -> Looked:
    """Look at the jobs in *joined* tables that satisfy *where*; *count* names SQL aggregates to take too."""
    looked = Looked()
    last: int = store.connection.execute("SELECT ifnull(max(seq), 0) FROM jobs").fetchone()[0]
    of = f"FROM {joined} WHERE seq > ? AND seq <= ? AND ({where})"
    for after in range(0, last, AT_ONCE):
        _look(looked, store, of, count, (after, after + AT_ONCE))
    return looked


def look_at_piece(store: Store, joined: str, where: str, count: Sequence[str], piece: Piece) -> Looked:
    """Do the same with the jobs of one piece."""
    looked = Looked()
    _look(looked, store, f"FROM {joined} WHERE {IN_PIECE} AND ({where})", count, piece)
    return looked


def _look(looked: Looked, store: Store, of: str, count: Sequence[str], values: Sequence[int]) -> None:
    """Look at the jobs that an SQL text *of* FROM on gives with *values*."""
    counts = ", ".join(["count(*)", *count])
    together = f"""SELECT json_group_array(DISTINCT model), group_concat(inputs),
        group_concat(meta) FILTER (WHERE meta <> '{{}}'), {counts} {of}"""
    try:
        models, inputs, notes, *counted = gathered(store, together, values)
    except TooLarge:
        counted = store.connection.execute(f"SELECT {counts} {of}", values).fetchone()
        for model, inputs, notes in store.connection.execute(f"SELECT model, inputs, meta {of}", values):
            looked.models.add(model)
            looked.inputs.add(inputs)
            looked.notes.add(notes)
    else:
        looked.models.update(json.loads(models))
        looked.inputs.add(inputs or "")
        looked.notes.add(notes or "")
    looked.counted.append(tuple(counted))


def _columns_of(shapes: Shapes, source: str) -> Iterator[Column]:
    """Yield the columns under the names they have in *source*."""
    if len(shapes.by_name) > MOST_COLUMNS:
        yield Column(name=source, source=source, key=None, kind=Kind.JSON)
        return
    for name in sorted(shapes.by_name):
        kind, is_list = _kind_of(shapes.by_name[name])
        yield Column(name=name, source=source, key=name, kind=kind, is_list=is_list)


class Shapes:
    """What the values under each name are, of all objects that were added."""

    def __init__(self) -> None:
        self.by_name: dict[str, set[str]] = defaultdict(set)
        self.are_alike = True
        """Whether all objects have the same names, in the same order."""
        self._names: tuple[str, ...] | None = None

    def add(self, text: str) -> None:
        """Add objects, written as JSON with a comma between."""
        if len(self.by_name) > MOST_COLUMNS:
            return  # that is enough to know
        text = f"[{text}]"
        try:
            self._add_all(orjson.loads(text))
        except (orjson.JSONDecodeError, _Inexact):  # half a character, a number beyond 64 bits
            self._add_all(json.loads(text), is_exact=True)

    def include(self, other: Shapes) -> None:
        """Add the objects that *other* has seen."""
        if len(self.by_name) > MOST_COLUMNS:
            return
        for name, shapes in other.by_name.items():
            self.by_name[name].update(shapes)
        self.are_alike = self.are_alike and other.are_alike
        if other._names is not None:
            self._names = other._names if self._names is None else self._names
            self.are_alike = self.are_alike and other._names == self._names

    def as_json(self) -> Json:
        """Return all of it, of more than MOST_COLUMNS names only so many that this is known."""
        some = dict(islice(self.by_name.items(), MOST_COLUMNS + 1))
        names: Json = None if self._names is None else list(self._names[: MOST_COLUMNS + 1])
        by_name: dict[str, Json] = {name: [*sorted(shapes)] for name, shapes in some.items()}
        return [names, self.are_alike, by_name]

    @classmethod
    def from_json(cls, found: Any) -> Shapes:
        shapes = cls()
        names, shapes.are_alike, by_name = found
        shapes._names = None if names is None else tuple(names)
        shapes.by_name.update({name: set(each) for name, each in by_name.items()})
        return shapes

    def _add_all(self, rows: list[dict[str, Json]], *, is_exact: bool = False) -> None:
        for names, columns in _by_names(rows):
            self._names = names if self._names is None else self._names
            self.are_alike = self.are_alike and names == self._names
            for name, values in zip(names, columns, strict=True):
                self.by_name[name].update(_shapes_of_all(values, is_exact=is_exact))


def _by_names(rows: list[dict[str, Json]]) -> Iterator[tuple[tuple[str, ...], list[list[Json]]]]:
    """Yield all names that rows have, in their order, and the values of each in these rows."""
    groups = dict.fromkeys({*map(tuple, rows)}, rows)
    if len(groups) > 1:
        groups = {names: [] for names in dict.fromkeys(map(tuple, rows))}
        for row in rows:
            groups[tuple(row)].append(row)
    for names, alike in groups.items():
        values = list(chain.from_iterable(map(dict.values, alike)))
        yield names, [values[at :: len(names)] for at in range(len(names))]


class _Inexact(Exception):
    """A number with a fraction, which may be a whole one beyond 64 bits."""


def _shapes_of_all(values: Sequence[Json], *, is_exact: bool) -> Collection[str]:
    """Return what *values* are.  Raises _Inexact."""
    kinds: set[type] = {*map(type, values)}
    lists = [value for value in values if isinstance(value, list)] if list in kinds else []
    inner = {*map(type, chain.from_iterable(lists))}
    if not is_exact and float in kinds | inner:
        raise _Inexact
    if kinds == {int}:
        return {shape for one in (min(values), max(values)) for shape in _shapes_of(one)}  # type: ignore[type-var]
    if kinds == {list} and inner <= WORDS.keys():
        return {LIST, *(LIST + WORDS[one] for one in inner)}
    if kinds <= WORDS.keys():
        return {WORDS[one] for one in kinds}
    return {shape for value in values for shape in _shapes_of(value)}


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
