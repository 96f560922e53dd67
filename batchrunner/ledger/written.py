"""Which parts of the files that a run leaves, as they were last written, are still true?

`results.jsonl` and `metadata.jsonl` are remembered in pieces of some thousand jobs.  From then on triggers
note the place of each job of which a line may have become another: where it stood in the order of the files,
and where it stands now.  A piece in which no place was noted is what it would be if it were written anew,
whatever killed the runs in between: a note is part of the very commit that makes it necessary.
Why: docs/decisions/0022-files-kept-up.md
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .queries import Queries

WRITTEN_FACT: Final = "written"
"""The folder's fact that says by what, and as which files, they were written."""

PLACE: Final = "in_manifest, position, seq"

_ANY_FILES: Final = "EXISTS (SELECT 1 FROM written)"


def _noted_with(table: str) -> str:
    """Return the triggers that note the job of a row of *table* that comes, changes or goes."""
    return "\n".join(
        f"""CREATE TRIGGER {table}_{done}_noted AFTER {change} ON {table} WHEN {_ANY_FILES} BEGIN
    INSERT OR IGNORE INTO changed SELECT {PLACE} FROM jobs WHERE seq = {row}.job;
END;"""
        for done, change, row in (
            ("made", "INSERT", "NEW"),
            ("changed", "UPDATE", "NEW"),
            ("dropped", "DELETE", "OLD"),
        )
    )


WRITTEN: Final = f"""
CREATE TABLE written (          -- results.jsonl and metadata.jsonl as they were last written, in pieces
    in_manifest INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    seq         INTEGER NOT NULL,  -- the place of the piece's last job
    lines_bytes INTEGER NOT NULL,  -- of the piece in results.jsonl
    rows_bytes  INTEGER NOT NULL,  -- and in metadata.jsonl
    seen        TEXT NOT NULL,     -- what its jobs' inputs and notes are like
    PRIMARY KEY (in_manifest, position, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE changed (          -- places of jobs that have changed since; new jobs are known by their numbers
    in_manifest INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (in_manifest, position, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER job_noted AFTER UPDATE ON jobs WHEN {_ANY_FILES} BEGIN
    INSERT OR IGNORE INTO changed VALUES (OLD.in_manifest, OLD.position, OLD.seq),
        (NEW.in_manifest, NEW.position, NEW.seq);
END;
{_noted_with("artifacts")}
{_noted_with("stored")}
CREATE TRIGGER image_noted AFTER INSERT ON images WHEN {_ANY_FILES} BEGIN
    DELETE FROM written;            -- any line may name it
END;
"""


class Written(NamedTuple):
    """One piece of both files."""

    in_manifest: int
    position: int
    seq: int
    lines_bytes: int
    rows_bytes: int
    seen: str


def pieces_written(ledger: Queries) -> list[Written]:
    """Return all pieces in the order of the files."""
    rows = ledger.connection.execute("SELECT * FROM written ORDER BY in_manifest DESC, position, seq")
    return [Written(*row) for row in rows]


def note_new_jobs(ledger: Queries, after: int) -> None:
    """Note the places of jobs whose numbers come *after* one that was the last when the files were written.

    No trigger does so: it would take longer to note a million new rows than to look for them here.
    """
    ledger.connection.execute(
        f"INSERT OR IGNORE INTO changed SELECT {PLACE} FROM jobs WHERE seq > ?", (after,)
    )


def has_changed(ledger: Queries, piece: Sequence[int]) -> bool:
    """Return whether a place from behind one up to another was noted."""
    found = ledger.connection.execute(
        "SELECT 1 FROM changed WHERE in_manifest = ? AND (position, seq) > (?, ?)"
        " AND (position, seq) <= (?, ?) LIMIT 1",
        piece,
    )
    return found.fetchone() is not None


def last_number(ledger: Queries) -> int:
    number: int = ledger.connection.execute("SELECT ifnull(max(seq), 0) FROM jobs").fetchone()[0]
    return number


def remember(ledger: Queries, pieces: Iterable[Written]) -> None:
    """Remember both files as they are now; from here on changes are noted anew."""
    forget(ledger)
    ledger.connection.executemany("INSERT INTO written VALUES (?, ?, ?, ?, ?, ?)", pieces)


def forget(ledger: Queries) -> None:
    """Let both files be written as a whole the next time."""
    ledger.connection.execute("DELETE FROM written")
    ledger.connection.execute("DELETE FROM changed")
