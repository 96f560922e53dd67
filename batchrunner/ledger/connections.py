"""How the ledger's database is opened: to write, to read, or as a scratch that leaves nothing behind."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ..errors import FolderUnusable
from ..files.filesystem import has_shared_memory
from .schema import ensure_schema, schema_version

READERS_TAKE_S: Final = 120.0
"""Without a log whoever reads keeps a commit waiting: as long as a copy of a large ledger may take."""

READING_WAITS_S: Final = 30.0
"""Without a log a commit keeps whoever reads waiting, and so does taking in a large manifest."""

LOG_FORMAT: Final = 2
"""What the two bytes from the 18th on are in a ledger with a write-ahead log: https://sqlite.org/fileformat.html"""


ONE_PAGE: Final = 4096
"""Bytes of the smallest SQLite file; the ledger's tables take many."""

FIRST_COMMIT: Final = 1_000_000
"""Bytes, more than the log of the commit that makes the tables takes (a sixth of it)."""


def is_blank(path: Path) -> bool:
    """Return whether nothing was ever committed to the ledger at *path*.

    A kill within its first commit leaves a page at most, and the beginning of a log or a journal beside it.
    One that cannot be read is not blank: whoever opens it says what is wrong.
    """
    log, journal = (size_of(path.with_name(f"{path.name}-{beside}")) for beside in ("wal", "journal"))
    if not journal and (path.stat().st_size > ONE_PAGE or log > FIRST_COMMIT):
        return False
    if not log and not journal:
        return True
    try:
        with closing(_read_only(path, wait_s=0)) as connection:  # who writes it has something in it, or will
            return _version(connection, path) == 0
    except sqlite3.Error:
        return False


def size_of(path: Path) -> int:
    """Return the file's size in bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def has_log_format(path: Path) -> bool:
    """Return whether the ledger's latest commits may stand in a write-ahead log beside it.

    Only while this process has it not open: closing the file here would let go of SQLite's locks on it, and
    another process, believing itself alone, would take the log away.  `has_log` is for then.
    """
    with path.open("rb") as file:
        return file.read(20)[18:] == bytes((LOG_FORMAT, LOG_FORMAT))


def has_log(connection: sqlite3.Connection) -> bool:
    """Return the same of a ledger that is open."""
    return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def open_for_writing(path: Path, *, log_at_once: bool = True) -> sqlite3.Connection:
    """Open (or create, or migrate) the ledger at *path*; every commit is synced to the disk.

    A new one may get its log with `begin_log` only.  All that a manifest's jobs take is new pages then, and
    those are written once, to where they stay; in a log, twice, and all of them once more before the commit.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its log the mode of the ledger
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=READERS_TAKE_S)
    # Money depends on every commit: FULL syncs the log, and the rollback journal again after it was cut.
    begins_log = has_shared_memory(path) and (log_at_once or path.stat().st_size > 0)
    connection.execute(f"PRAGMA journal_mode = {'WAL' if begins_log else 'TRUNCATE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -8000")  # 8 MB, whatever the ledger's size
    ensure_schema(connection, path)
    path.chmod(0o600)
    return connection


def begin_log(connection: sqlite3.Connection, path: Path) -> None:
    """Let the ledger have its log from now on: steps of a job's life are committed sooner, and may be read.

    Somebody who has been reading it for very long leaves it without: that is slower, and as durable.
    """
    if has_shared_memory(path):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise


def open_alone(path: Path, *, durable: bool) -> sqlite3.Connection:
    """Open a ledger in the making, which nobody else reads; it is one file and nothing beside it.

    Where it is not *durable* it is quick, and worthless after a crash.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, uri=True)
    connection.execute(f"PRAGMA journal_mode = {'DELETE' if durable else 'OFF'}")
    connection.execute(f"PRAGMA synchronous = {'EXTRA' if durable else 'OFF'}")
    ensure_schema(connection, None)
    path.chmod(0o600)
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the ledger at *path* for reading; a run may be writing it meanwhile.

    Raises FolderUnusable for a file that is no ledger, or one that lost what was in it.
    """
    connection = _read_only(path)
    try:
        version = _version(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        hint = "bring a backup of it back"
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            hint = "a run is taking in a large manifest: ask again in a moment"
        raise FolderUnusable(f"{path} cannot be read: {error}", hint=hint) from error
    if version == 0:
        connection.close()
        hint = f"was {path.name}-wal, which holds the latest commits, left behind when it was copied?"
        raise FolderUnusable(f"there is nothing in {path}", hint=hint)
    return connection


def _read_only(path: Path, *, wait_s: float = READING_WAITS_S) -> sqlite3.Connection:
    return sqlite3.connect(uri_for_reading(path), uri=True, isolation_level=None, timeout=wait_s)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, after what a killed run had begun to commit was rolled back."""
    try:
        return schema_version(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
    with closing(sqlite3.connect(path, timeout=READING_WAITS_S)) as writing:
        schema_version(writing)  # SQLite's own way to roll back, under its own locks
    return schema_version(connection)


def uri_for_reading(path: Path) -> str:
    """Return by what name SQLite reads the ledger at *path* and certainly does not write it."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    if _was_closed_on_a_read_only_disk(path):
        uri += "&immutable=1"  # else SQLite wants to write beside what it reads
    return uri


def _was_closed_on_a_read_only_disk(path: Path) -> bool:
    """Return whether nobody can be writing the ledger, and everything is in its one file."""
    log = path.with_name(f"{path.name}-wal")
    is_closed = not log.exists() or log.stat().st_size == 0
    return is_closed and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def open_scratch(name: str = "") -> sqlite3.Connection:
    """Open an empty ledger that leaves nothing behind: a file SQLite deletes itself, or ``:memory:``."""
    connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, uri=True)
    ensure_schema(connection, None)
    return connection
