"""Is this line an object at first sight?

orjson reads it in a third of the time, but it keeps the last of two values of one name, makes floats of
numbers beyond 64 bits, and nests deeper than we do.  Where any of that could have happened, and where it
refuses the line, there is no answer here: strict_json looks at the line again and finds the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple, cast

import orjson

from .._types import Json
from .strict_json import MAX_DEPTH


def plain_object(line: bytes) -> dict[str, Json] | None:
    """Return the object that *line* certainly is, the same that `parse_json` gives; None says nothing."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(value) is not dict or line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        return None
    # Each text has two quotes, and perhaps escaped ones inside: where there are no more than those of the
    # texts that were found, no name was dropped for standing twice.
    return value if _texts_in(value) * 2 == line.count(b'"') else None


class PlainRows(NamedTuple):
    """Objects, one for each line."""

    rows: list[dict[str, Json]]
    columns: dict[str, Sequence[Json]]
    """The same name by name; None for a row that has nothing."""


def plain_objects(text: bytes) -> PlainRows | None:
    """Return the objects that the lines of *text* certainly are, one each; None says nothing.

    Of single values, and of lists and mappings of such, so that nothing nests any deeper.
    """
    text = text.removesuffix(b"\n")
    size = text.count(b"\n") + 1
    # All are read as one list.  No text holds a line feed, and a brace behind one begins an item of a list:
    # of that one, as lists inside turn out to hold no mappings.  So each line ends what it begins.
    if not text.startswith(b"{") or text.count(b"\n{") < size - 1:
        return None
    try:
        rows: list[dict[str, Json]] = orjson.loads(b"[%b]" % text.replace(b"\n", b"\n,"))
    except orjson.JSONDecodeError:
        return None
    if len(rows) != size or {*map(type, rows)} != {dict}:
        return None
    columns = _by_name(rows)
    texts = sum(map(len, rows))
    for values in columns.values():
        found = _texts_among(values)
        if found is None:
            return None
        texts += found
    # No object can have fewer quotes than its texts need: where all have as many, each has.
    return PlainRows(rows, columns) if texts * 2 == text.count(b'"') else None


def _by_name(rows: Sequence[dict[str, Json]]) -> dict[str, Sequence[Json]]:
    names = tuple(rows[0])
    if {*map(tuple, rows)} == {names}:
        values = list(chain.from_iterable(map(dict.values, rows)))
        return {name: values[at :: len(names)] for at, name in enumerate(names)}
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(chain.from_iterable(rows))}


def _texts_among(values: Sequence[Json]) -> int | None:
    """Return how many texts *values* hold, those inside of them too; None for what is not plain."""
    kinds = {*map(type, values)}
    if kinds <= {str}:
        return len(values)
    if kinds <= SINGLE:
        return list(map(type, values)).count(str) if str in kinds else 0
    if not kinds <= SINGLE | {list, dict}:
        return None
    if kinds == {list}:
        items: list[Json] = [*chain.from_iterable(cast("Sequence[list[Json]]", values))]
        if {*map(type, items)} <= {str}:
            return len(items)
    mappings = [value for value in values if isinstance(value, dict)]
    inner = [*chain.from_iterable([value for value in values if isinstance(value, list)])]
    inner += chain.from_iterable(map(dict.values, mappings))
    if not {*map(type, inner)} <= SINGLE:
        return None
    types = [*map(type, values), *map(type, inner)]
    return types.count(str) + sum(map(len, mappings))


SINGLE: Final = frozenset({str, int, bool, type(None)})


_FLOAT: Final = -(2**40)
"""Added for a number with a fraction, so that no count is right: a whole one may be behind it."""


def _texts_in(value: dict[str, Json]) -> int:
    """Return how many texts *value* is made of, its names included; a negative number if there are floats."""
    count = len(value)
    for inner in value.values():
        kind = type(inner)
        if kind is str:
            count += 1
        elif kind is list or kind is dict or kind is float:
            count += _nested(inner)
    return count


def _nested(value: Json) -> int:
    match value:
        case str():
            return 1
        case float():
            return _FLOAT
        case list():
            return sum(map(_nested, value))
        case dict():
            return _texts_in(value)
        case _:
            return 0
