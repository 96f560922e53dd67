"""Which parts of the files that a run leaves, as they were last written, are still true?

`results.jsonl` and `metadata.jsonl` are remembered in pieces of some thousand jobs.  From then on triggers
note the place of each job of which a line may have become another: where it stood in the order of the files,
and where it stands now.  A piece in which no place was noted is what it would be if it were written anew,
whatever killed the runs in between: a note is part of the very commit that makes it necessary.
Why: docs/decisions/0022-files-kept-up.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

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

TALLIES: Final = f"""
CREATE TABLE tallies (          -- what the jobs of a piece add to the figures of the page for people
    in_manifest INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    seq         INTEGER NOT NULL,  -- the piece's last job
    form        TEXT NOT NULL,
    tally       BLOB NOT NULL,
    PRIMARY KEY (in_manifest, position, seq)
) STRICT;
{_noted_with("attempts")}
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


Place: TypeAlias = "tuple[int, int, int]"
"""Of a job in the order of the files: whether it is in the manifest, its position and its number."""


def remember(ledger: Queries, pieces: Iterable[Written], *, unchanged: Collection[Place]) -> None:
    """Remember both files as they are now; from here on changes are noted anew.

    Of the tallies those stay whose pieces were true before: that end at the places that are *unchanged*.
    """
    tallied = ledger.connection.execute(f"SELECT {PLACE} FROM tallies").fetchall()
    stale = [place for place in map(tuple, tallied) if place not in unchanged]
    ledger.connection.executemany("DELETE FROM tallies WHERE (in_manifest, position, seq) = (?, ?, ?)", stale)
    ledger.connection.execute("DELETE FROM written")
    ledger.connection.execute("DELETE FROM changed")
    ledger.connection.executemany("INSERT INTO written VALUES (?, ?, ?, ?, ?, ?)", pieces)


def forget(ledger: Queries) -> None:
    """Let both files be written as a whole the next time, and all jobs be counted anew."""
    for table in ("written", "changed", "tallies"):
        ledger.connection.execute(f"DELETE FROM {table}")


def tally_at(ledger: Queries, place: Place, form: str) -> bytes | None:
    """Return the tally of the piece that ends at *place*; None where none of this form is kept."""
    found: tuple[bytes] | None = ledger.connection.execute(
        "SELECT tally FROM tallies WHERE (in_manifest, position, seq) = (?, ?, ?) AND form = ?",
        (*place, form),
    ).fetchone()
    return found[0] if found else None


def remember_tallies(ledger: Queries, tallies: Iterable[tuple[Place, bytes]], form: str) -> None:
    """Remember tallies of pieces that stand in the files as they are, until one of their jobs changes."""
    ledger.connection.executemany(
        "REPLACE INTO tallies VALUES (?, ?, ?, ?, ?)", ((*place, form, tally) for place, tally in tallies)
    )
