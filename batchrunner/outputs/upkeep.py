"""How do a million jobs' files come up to date within a second?  What is still true in them is copied.

`results.jsonl` and `metadata.jsonl` are written in pieces of some thousand jobs, and the ledger knows which
pieces have changed since (ledger/written.py).  Theirs are written anew, the others' bytes are taken over from
the old file, if that is the very file that was written then; the new one takes its place whole.  The bytes
are those of a file written afresh.  Why, and what is not seen: docs/decisions/0022-files-kept-up.md
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct
from msgspec.structs import asdict

from .. import __version__
from .._types import Json
from ..files.disk import replaced_file
from ..ledger import Store
from ..ledger.images import written_paths
from ..ledger.stored import has_stored
from ..ledger.written import (
    WRITTEN_FACT,
    Written,
    forget,
    has_changed,
    last_number,
    note_new_jobs,
    pieces_written,
    remember,
)
from .columns import Looked
from .dataset import Contents, contents_of, counts_of, look_into_piece, rows_of, write_card, write_data_set
from .lines import BEYOND, FIRST, Piece, pieces_of
from .results import Interrupted, lines_of

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
    said = store.fact(WRITTEN_FACT)
    known = json.loads(said) if said else {}
    is_ours = known.get("made_by") == MADE_BY
    pieces = pieces_written(store) if is_ours else []
    if pieces:
        with store.transaction():
            note_new_jobs(store, known["last"])
    elif said:
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


def write_lines(store: Store, folder: Path, before: Before, go_on: GoOn = lambda: True) -> list[int]:
    """Bring ``results.jsonl`` up to date and return each part's bytes.

    Raises Interrupted as soon as *go_on* says no; the old file stands then.
    """
    has_paths = bool(written_paths(store))
    parts = [(part.piece, part.kept.lines if part.kept else None) for part in before.parts]

    def anew(piece: Piece) -> Iterator[str]:
        return lines_of(store, piece, has_paths=has_paths)

    return _write(folder / LINES, before.lines, parts, anew, go_on)


def write_rows(store: Store, folder: Path, before: Before, go_on: GoOn = lambda: True) -> RowsWritten | None:
    """Bring ``metadata.jsonl`` and the card up to date; return None where nothing can be remembered of them.

    Raises Interrupted as soon as *go_on* says no.
    """
    if has_stored(store):
        write_data_set(store, folder, go_on)
        return None
    looked, seen = Looked(), []
    for part in before.parts:
        if not go_on():
            raise Interrupted
        known = part.kept.seen if part.kept else ""
        seen.append(known or look_into_piece(store, part.piece).as_text())
        looked.include(Looked.from_text(seen[-1]))
    contents = contents_of(store, looked, counts_of(looked))
    form = _form(contents)
    parts = [(part.piece, part.kept.rows if part.kept else None) for part in before.parts]

    def anew(piece: Piece) -> Iterator[str]:
        return rows_of(store, contents, piece)

    identity = before.rows if form == before.form else None
    sizes = _write(folder / ROWS, identity, parts, anew, go_on)
    write_card(store, folder, contents)
    return RowsWritten(sizes=sizes, seen=seen, form=form)


def keep(store: Store, folder: Path, before: Before, sizes: Sequence[int], rows: RowsWritten | None) -> None:
    """Remember the files as they stand, unless the ledger has changed meanwhile."""
    with store.transaction():
        if _moment(store) != before.moment:
            forget(store)
            return
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
                Written(part.piece[0], part.piece[3], part.piece[4], lines_bytes, rows_bytes, seen)
                for part, lines_bytes, rows_bytes, seen in parts
            ),
        )
        store.set_fact(WRITTEN_FACT, json.dumps(known))


def _write(
    path: Path,
    identity: list[int] | None,
    parts: Sequence[tuple[Piece, Extent | None]],
    anew: Callable[[Piece], Iterator[str]],
    go_on: GoOn,
) -> list[int]:
    """Put the file together and return each part's bytes; where all of it stands already it is left alone."""
    with ExitStack() as opened:
        old = _open_old(path, identity, opened)
        extents = [extent for _, extent in parts if extent is not None]
        if old is not None and identity is not None and len(extents) == len(parts):
            sizes = [size for _, size in extents]
            if sum(sizes) == identity[SIZE]:
                return sizes
        sizes = []
        with replaced_file(path) as file:
            for piece, extent in parts:
                taken = None if old is None or extent is None else _taken_over(old, extent)
                size = 0
                for text in anew(piece) if taken is None else (taken,):
                    if not go_on():
                        raise Interrupted
                    size += file.buffer.write(text if isinstance(text, bytes) else text.encode())
                sizes.append(size)
        return sizes


def _open_old(path: Path, identity: list[int] | None, opened: ExitStack) -> BinaryIO | None:
    """Open the file as it was written then; None where there is another one now."""
    if identity is None:
        return None
    try:
        file = opened.enter_context(path.open("rb"))
    except FileNotFoundError:
        return None
    return file if _told_apart(os.fstat(file.fileno())) == identity else None


def _taken_over(old: BinaryIO, extent: Extent) -> bytes | None:
    """Return the bytes of a piece; None where they are not whole lines."""
    start, size = extent
    old.seek(start)
    found = old.read(size)
    return found if len(found) == size and (not found or found.endswith(b"\n")) else None


SIZE: Final = 1


def _identity(path: Path) -> list[Json]:
    return list(_told_apart(path.stat()))


def _told_apart(found: os.stat_result) -> list[int]:
    """Return what another file, or this one after it was written to, does not have."""
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _moment(store: Store) -> tuple[int, int]:
    """Return what changes whenever the ledger does, by our hand or another's."""
    others: int = store.connection.execute("PRAGMA data_version").fetchone()[0]
    return store.connection.total_changes, others


def _form(contents: Contents) -> str:
    """Return all that the rows of unchanged jobs depend on."""
    columns: list[Json] = [asdict(column) for column in contents.columns]
    return json.dumps([columns, contents.are_alike, bool(contents.counts)])
