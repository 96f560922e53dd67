"""What does a value mean, decided once an input instead of once a row?

A typer is `typed` for one schema, compiled: the usual values take a short way, all others go through `typed`
itself, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, TypeAlias, cast

from msgspec import Struct

from .._types import Json
from ..models.lenient import Schema, branch_for, kinds
from .rows import Cell, Plain
from .typed import typed

TextTyper: TypeAlias = Callable[[str], Json]
ValueTyper: TypeAlias = Callable[[Json], Json]

FEW: Final = 20

SHORT: Final = 18  # digits that are cheap to compare with the number they make


class CellTyper(Struct, frozen=True):
    """Says what filled CSV cells mean: one by itself, or many of a column at once."""

    one: TextTyper
    many: Callable[[Sequence[str]], Sequence[Json]]


def cell_typer(schema: Schema) -> CellTyper | None:
    """Return what a filled CSV cell means to *schema*; None where it stays the text it is."""
    wanted = kinds(schema)
    if "string" in wanted or (not wanted and "enum" not in schema):
        return None

    def other(text: str) -> Json:
        return typed(Cell(text), schema)

    if wanted - {"null"} == {"array"} and cell_typer(_items(schema)) is None:
        texts = _texts_or(other)
        return CellTyper(texts, lambda cells: _lists_of_texts(cells, texts))
    return _single_typer(wanted, other)


def text_typer(schema: Schema) -> CellTyper | None:
    """Return the same of YAML's text without quotes, which is never a list or a mapping."""
    wanted = kinds(schema)
    if "string" in wanted:
        return None
    return _single_typer(wanted, lambda text: typed(Plain(text), schema))


def _single_typer(wanted: Collection[str], other: TextTyper) -> CellTyper:
    if "integer" in wanted:
        number = _number_or(other)
        return CellTyper(number, lambda cells: _numbers(cells, number))
    return CellTyper(other, lambda cells: _each_read_once(cells, other))


def _each_read_once(cells: Sequence[str], one: TextTyper) -> Sequence[Json]:
    distinct = set(cells)
    if len(distinct) * 4 <= len(cells):
        meanings = {cell: one(cell) for cell in distinct}
        if not any(isinstance(value, list | dict) for value in meanings.values()):  # no two jobs share those
            return [meanings[cell] for cell in cells]
    return list(map(one, cells))


def _numbers(cells: Sequence[str], one: TextTyper) -> Sequence[Json]:
    if len(set(cells[:FEW])) < FEW:  # a few words, written again and again
        return _each_read_once(cells, one)
    try:
        numbers = list(map(int, cells)) if max(map(len, cells)) <= SHORT else []
    except ValueError:
        numbers = []
    return numbers if list(map(str, numbers)) == list(cells) else list(map(one, cells))


def _lists_of_texts(cells: Sequence[str], one: TextTyper) -> Sequence[Json]:
    lists = [cell.split("|") for cell in cells]
    items = list(chain.from_iterable(lists))
    if "" in items or "[" in map(itemgetter(0), cells) or list(map(str.strip, items)) != items:
        return list(map(one, cells))
    return cast("list[Json]", lists)


def value_typer(schema: Schema) -> ValueTyper:
    """Return what a value of JSON or YAML means to *schema*."""
    wanted = kinds(schema)
    if "string" in wanted:
        return lambda value: str(value) if isinstance(value, str) else typed(value, schema)
    if "integer" in wanted:
        from_text = _number_or(lambda text: typed(Plain(text), schema))
        return lambda value: (
            value
            if type(value) is int
            else from_text(value)
            if type(value) is Plain
            else typed(value, schema)
        )
    if wanted - {"null"} == {"array"} and "string" in kinds(_items(schema)):
        return lambda value: _texts(value, schema)
    return lambda value: typed(value, schema)


def is_settled(schema: Schema) -> bool:
    """Return whether every JSON value means itself: nothing in *schema* makes a whole number of a float."""
    nested = [schema.get("items"), *_inner(schema.get("properties"))]
    for keyword in ("anyOf", "oneOf", "allOf"):
        nested += _inner(schema.get(keyword))
    return "integer" not in kinds(schema) and all(
        is_settled(inner) for inner in nested if isinstance(inner, dict)
    )


def _inner(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _items(schema: Schema) -> Schema:
    items = branch_for(schema, "array").get("items")
    return items if isinstance(items, dict) else {}


def _number_or(other: TextTyper) -> TextTyper:
    """Return a typer that reads a short whole number itself: not 007 or 1_000, which int() takes too."""

    def number_or_other(text: str) -> Json:
        try:
            number = int(text) if len(text) <= SHORT else None
        except ValueError:
            return other(text)
        return number if str(number) == text else other(text)

    return number_or_other


def _texts_or(other: TextTyper) -> TextTyper:
    """Return a typer that splits a cell at ``|``, unless that is a JSON array or an item is empty."""

    def texts_or_other(text: str) -> Json:
        items = list(map(str.strip, text.split("|")))
        return other(text) if "" in items or items[0].startswith("[") else cast("list[Json]", items)

    return texts_or_other


def _texts(value: Json, schema: Schema) -> Json:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    return typed(value, schema)
