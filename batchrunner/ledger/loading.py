"""How does a million rows get into a table within seconds?

Hundreds in one statement.  Indexes are built when all rows are there, in one sort each: kept up to date row
by row, they cost several times as much for values in no order.  For values that come in order they do not.
All of it on one thread: beside one that reads and checks, which hardly ever lets go of the interpreter's
lock, a second one cost more than it saved; a second process (manifest/beside.py) does save.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeAlias

from ..collector import rarely_collected

Batch: TypeAlias = Sequence[str | int]
"""The values of some rows, one row behind the other."""


def insert_all(connection: sqlite3.Connection, into: str, row: str, batches: Iterable[Batch]) -> None:
    """Insert all *batches* *into* a table (``jobs (id, ...)``), each *row* of them as ``(?, ...)`` says."""
    width = row.count("?")
    with rarely_collected():
        for batch in batches:
            connection.execute(_statement(into, row, len(batch) // width), batch)


@lru_cache(maxsize=4)
def _statement(into: str, row: str, rows: int) -> str:
    return f"INSERT OR FAIL INTO {into} VALUES {', '.join([row] * rows)}"


@contextmanager
def indexes_built_after(
    connection: sqlite3.Connection, table: str, *, in_order: Collection[str] = ()
) -> Iterator[None]:
    """Do without the indexes of *table* inside the block.  Raises IntegrityError for values used twice.

    Those that get their values *in_order* stay.  So do partial ones: new rows are hardly ever in them, and a
    pass over all takes longer than asking each.
    """
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        " AND sql NOT LIKE '% WHERE %'",
        (table,),
    ).fetchall()
    dropped = [(name, sql) for name, sql in indexes if name not in in_order]
    for name, _ in dropped:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, sql in dropped:
        connection.execute(sql)
