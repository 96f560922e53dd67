"""How are a million lines of JSON written within seconds?  SQLite puts them together, thousands in one text.

It does so without the interpreter's lock, so two files are written side by side.  The order is that of all
our files: the manifest's, and what is gone from it at the end.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from .._types import Json
from ..ledger import Store

AT_ONCE: Final = 2_000
"""Jobs whose lines are put together: a megabyte or two, and long enough to be worth a change of threads."""

MOST_AT_ONCE: Final = 2**25
"""Bytes of them; where jobs are larger than that, they are written one by one."""

IN_ORDER: Final = "in_manifest DESC, position, seq"

IN_PIECE: Final = "in_manifest = ? AND (position, seq) > (?, ?) AND (position, seq) <= (?, ?)"

Piece: TypeAlias = "tuple[int, int, int, int, int]"
"""The values that IN_PIECE asks for."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)

_UNSHOWN: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def json_line(value: Json) -> str:
    """Return *value* as one line of JSON that people can read and a terminal can show.

    Control characters above ASCII and those that turn the direction of text are written as escapes.
    """
    return shown(_ENCODER.encode(value))


def shown(text: str) -> str:
    """Return JSON *text*, of one line or many, with what a terminal must not see written as escapes."""
    if text.isascii() and "\x7f" not in text:
        return text
    whole = text.encode("utf-8", "replace").decode()
    return _UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)


FIRST: Final = (-1, -1)
"""Before the place of any job."""

BEYOND: Final = (2**63 - 1, 2**63 - 1)

WHOLE: Final[tuple[Piece, ...]] = ((1, *FIRST, *BEYOND), (0, *FIRST, *BEYOND))


def pieces(store: Store) -> Iterator[Piece]:
    """Yield all jobs, AT_ONCE of them at a time, in order."""
    for each in WHOLE:
        yield from pieces_of(store, each)


def pieces_of(store: Store, of: Piece) -> Iterator[Piece]:
    """Yield the jobs of a piece of any size, AT_ONCE of them at a time."""
    in_manifest, position, seq, *upto = of
    while (last := _last_of(store, (in_manifest, position, seq, upto[0], upto[1]))) is not None:
        yield in_manifest, position, seq, *last
        position, seq = last


def _last_of(store: Store, of: Piece) -> tuple[int, int] | None:
    """Return the place of the last of the first AT_ONCE jobs of a piece; None where it has no jobs."""
    behind = f"FROM jobs WHERE {IN_PIECE} ORDER BY position"
    for order in (f"{behind}, seq LIMIT 1 OFFSET {AT_ONCE - 1}", f"{behind} DESC, seq DESC LIMIT 1"):
        found = store.connection.execute(f"SELECT position, seq {order}", of).fetchone()
        if found is not None:
            return found[0], found[1]
    return None


def text_of(store: Store, line: str, joined: str, piece: Piece) -> str | None:
    """Return the lines of a piece: what the SQL expression *line* gives for each row of *joined*.

    With the letters that people read instead of escapes.  None for a piece that is too large.
    """
    together = "group_concat(line, char(10)), count(line), count(*)"
    try:
        text, written, rows = gathered(
            store, f"SELECT {together} FROM (SELECT {line} AS line {joined})", piece
        )
    except TooLarge:
        return None
    if written < rows:  # printf() gives nothing, and no error, for a line that is too large by itself
        return None
    if text is None:
        return ""
    if "\\u" in text:
        text = "\n".join([_unescaped(one) if "\\u" in one else one for one in text.split("\n")])
    return shown(text) + "\n"


class TooLarge(Exception):
    """What was to be put together is larger than MOST_AT_ONCE."""


def gathered(store: Store, query: str, values: Sequence[int]) -> tuple[Any, ...]:
    """Return the one row of a *query* that puts texts together.  Raises TooLarge."""
    limit = store.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_AT_ONCE)
    try:
        return tuple(store.connection.execute(query, values).fetchone())
    except (sqlite3.DataError, sqlite3.OperationalError) as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_TOOBIG:
            raise
        raise TooLarge from None
    finally:
        store.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limit)


def _unescaped(line: str) -> str:
    return _ENCODER.encode(json.loads(line))
