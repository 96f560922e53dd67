"""Is this line an object at first sight?

orjson reads it in a third of the time, but it keeps the last of two values of one name, makes floats of
numbers beyond 64 bits, and nests deeper than we do.  Where any of that could have happened, and where it
refuses the line, there is no answer here: strict_json looks at the line again and finds the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

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


def plain_objects(lines: Sequence[bytes]) -> list[dict[str, Json]] | None:
    """Return the objects that *lines* certainly are, one each; None says nothing.

    Of single values, and of lists and mappings of such, so that nothing nests any deeper.
    """
    try:
        rows: list[dict[str, Json]] = list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        return None
    if {*map(type, rows)} != {dict}:
        return None
    values = list(chain.from_iterable([row.values() for row in rows]))
    lists = [value for value in values if type(value) is list]
    mappings = [value for value in values if type(value) is dict]
    inner = [*chain.from_iterable(lists), *chain.from_iterable([one.values() for one in mappings])]
    kinds, inner_kinds = list(map(type, values)), list(map(type, inner))
    if not {*kinds} <= SINGLE | {list, dict} or not {*inner_kinds} <= SINGLE:
        return None
    names = sum(map(len, rows)) + sum(map(len, mappings))
    texts = names + kinds.count(str) + inner_kinds.count(str)
    # No line can have fewer quotes than its texts need: where all have as many, each has.
    return rows if texts * 2 == sum(line.count(b'"') for line in lines) else None


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
