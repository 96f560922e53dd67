"""How do a million jobs' files come up to date within a second?  What is still true in them is copied.

`results.jsonl` and `metadata.jsonl` are written in pieces of some thousand jobs, and the ledger knows which
pieces have changed since (ledger/written.py).  Theirs are written anew, the others' bytes are taken over from
the old file, if that is the very file that was written then; the new one takes its place whole.  The bytes
are those of a file written afresh.  Why, and what is not seen: docs/decisions/0022-files-kept-up.md
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import asdict

from .._types import Json
from ..files.disk import replaced_file
from ..ledger import Store
from ..ledger.images import written_paths
from ..ledger.stored import has_stored
from .columns import Looked
from .dataset import Contents, contents_of, counts_of, look_into_piece, rows_of, write_card, write_data_set
from .lines import Piece
from .remembered import LINES, ROWS, SIZE, Before, Extent, GoOn, RowsWritten, told_apart
from .results import Interrupted, lines_of


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
    return file if told_apart(os.fstat(file.fileno())) == identity else None


def _taken_over(old: BinaryIO, extent: Extent) -> bytes | None:
    """Return the bytes of a piece; None where they are not whole lines."""
    start, size = extent
    old.seek(start)
    found = old.read(size)
    return found if len(found) == size and (not found or found.endswith(b"\n")) else None


def _form(contents: Contents) -> str:
    """Return all that the rows of unchanged jobs depend on."""
    columns: list[Json] = [asdict(column) for column in contents.columns]
    return json.dumps([columns, contents.are_alike, bool(contents.counts)])
