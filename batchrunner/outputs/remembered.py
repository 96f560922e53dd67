"""What does the ledger remember of the files that a run leaves?

`results.jsonl` and `metadata.jsonl` are remembered in pieces of some thousand jobs, and of each piece what
its jobs add to the figures of the page for people.  Whatever has not changed since is taken from there
(upkeep.py, report/).  Why, and what is not seen: docs/decisions/0022-files-kept-up.md
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec import Struct

from .. import __version__
from .._types import Json
from ..ledger import Store
from ..ledger.written import (
    WRITTEN_FACT,
    Place,
    Written,
    forget,
    has_changed,
    last_number,
    note_new_jobs,
    pieces_written,
    remember,
    remember_tallies,
    tally_at,
)
from .lines import BEYOND, FIRST, Piece, pieces_of
from .results import Interrupted
from .tallies import FORM as TALLIED
from .tallies import Tally, pack, tally, unpack

LINES: Final = "results.jsonl"
ROWS: Final = "metadata.jsonl"

FORM: Final = 1
"""Counts up when a line of the same job is written otherwise than before."""

MADE_BY: Final = f"{__version__}, form {FORM}, SQLite {sqlite3.sqlite_version}"
"""Other makers may write other lines."""

GoOn = Callable[[], bool]

Extent = tuple[int, int]
"""Where the bytes of a piece begin in a file, and how many they are."""


class Kept(Struct, frozen=True, kw_only=True):
    """A piece of the files as they were written, of which nothing has changed."""

    lines: Extent
    rows: Extent
    seen: str


class Part(Struct, frozen=True, kw_only=True):
    """A piece of the files to be."""

    piece: Piece
    kept: Kept | None
    """None where it is to be written anew."""


class Before(Struct, frozen=True, kw_only=True):
    """What is known of the files as they stand."""

    parts: Sequence[Part]
    lines: list[int] | None
    """What tells the file of the lines from any other; None where nothing can be taken from it."""
    rows: list[int] | None
    form: str | None
    """What the rows looked like."""
    moment: tuple[int, int]
    """Tells whether the ledger has changed meanwhile."""


class RowsWritten(Struct, frozen=True, kw_only=True):
    """What is to be remembered of the rows."""

    sizes: Sequence[int]
    seen: Sequence[str]
    form: str


def look_back(store: Store) -> Before:
    """Return what the ledger remembers of the files, and which pieces of them are true."""
    known = _known(store)
    pieces = pieces_written(store) if known else []
    if pieces:
        with store.transaction():
            note_new_jobs(store, known["last"])
    elif store.fact(WRITTEN_FACT):
        with store.transaction():
            forget(store)
    return Before(
        parts=list(_parts(store, pieces)),
        lines=known["lines"] if pieces else None,
        rows=known["rows"] if pieces else None,
        form=known.get("form"),
        moment=_moment(store),
    )


def _parts(store: Store, pieces: Sequence[Written]) -> Iterator[Part]:
    """Yield all jobs in pieces: those that stand as they are in the files, and what is between them."""
    lines_at = rows_at = 0
    for in_manifest in (1, 0):
        stale_from = after = FIRST
        for one in pieces:
            if one.in_manifest != in_manifest:
                continue
            place = (one.position, one.seq)
            if not has_changed(store, (in_manifest, *after, *place)):
                yield from _anew(store, (in_manifest, *stale_from, *after))
                lines, rows = (lines_at, one.lines_bytes), (rows_at, one.rows_bytes)
                kept = Kept(lines=lines, rows=rows, seen=one.seen)
                yield Part(piece=(in_manifest, *after, *place), kept=kept)
                stale_from = place
            after = place
            lines_at += one.lines_bytes
            rows_at += one.rows_bytes
        yield from _anew(store, (in_manifest, *stale_from, *BEYOND))


def _anew(store: Store, of: Piece) -> Iterator[Part]:
    return (Part(piece=piece, kept=None) for piece in pieces_of(store, of))


def look(store: Store, *, is_noted: bool = False) -> list[Part]:
    """Return all jobs in pieces, and which are as they were in the files, changing nothing.

    Where a job has come since, none are; unless `look_back` has noted it (*is_noted*).
    """
    known = _known(store)
    pieces = pieces_written(store) if known and (is_noted or last_number(store) == known["last"]) else []
    return list(_parts(store, pieces))


def keep(store: Store, folder: Path, before: Before, sizes: Sequence[int], rows: RowsWritten | None) -> bool:
    """Remember the files as they stand, and return whether: not if the ledger has changed meanwhile."""
    with store.transaction():
        if _moment(store) != before.moment:
            forget(store)
            return False
        if rows is None:
            rows = RowsWritten(sizes=[0] * len(sizes), seen=[""] * len(sizes), form="")
        known: Json = {
            "made_by": MADE_BY,
            "last": last_number(store),
            "lines": _identity(folder / LINES),
            "rows": _identity(folder / ROWS) if rows.form else None,
            "form": rows.form,
        }
        parts = zip(before.parts, sizes, rows.sizes, rows.seen, strict=True)
        remember(
            store,
            (
                Written(*place_of(part.piece), lines_bytes, rows_bytes, seen)
                for part, lines_bytes, rows_bytes, seen in parts
            ),
            unchanged={place_of(part.piece) for part in before.parts if part.kept is not None},
        )
        store.set_fact(WRITTEN_FACT, json.dumps(known))
    return True


NewTally: TypeAlias = "tuple[Place, bytes]"
"""The place of a piece, and what was counted in it."""


class Tallied(Struct, frozen=True):
    """The tallies of all jobs, in pieces."""

    all: list[Tally]
    new: list[NewTally]
    """Those that were not kept."""


def read_tallies(store: Store, parts: Iterable[Part], go_on: GoOn = lambda: True) -> Tallied:
    """Return the tallies of *parts*, counting those that are not kept.  Raises Interrupted."""
    found = Tallied([], [])
    for part in parts:
        if not go_on():
            raise Interrupted
        place = place_of(part.piece)
        packed = tally_at(store, place, TALLIED) if part.kept is not None else None
        if packed is None:
            found.all.append(tally(store, part.piece))
            found.new.append((place, pack(found.all[-1])))
        else:
            found.all.append(unpack(packed))
    return found


def keep_tallies(store: Store, tallies: Iterable[NewTally]) -> None:
    """Remember the tallies of pieces that were kept; what has changed since is noted."""
    with store.transaction():
        remember_tallies(store, tallies, TALLIED)


def place_of(piece: Piece) -> Place:
    """Return the place of a piece's last job."""
    in_manifest, *_, position, seq = piece
    return in_manifest, position, seq


def _known(store: Store) -> dict[str, Any]:
    """Return what was said of the files by a batchrunner that writes them as this one does."""
    known: dict[str, Any] = json.loads(store.fact(WRITTEN_FACT) or "{}")
    return known if known.get("made_by") == MADE_BY else {}


def _moment(store: Store) -> tuple[int, int]:
    """Return what changes whenever the ledger does, by our hand or another's."""
    others: int = store.connection.execute("PRAGMA data_version").fetchone()[0]
    return store.connection.total_changes, others


SIZE: Final = 1


def _identity(path: Path) -> list[Json]:
    return list(told_apart(path.stat()))


def told_apart(found: os.stat_result) -> list[int]:
    """Return what another file, or this one after it was written to, does not have."""
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
