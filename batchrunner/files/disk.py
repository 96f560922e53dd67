"""Files that survive a crash: written whole, synced, renamed; and what a failing disk means.

Nothing half-written ever has a final name, and a name is durable once its folder is synced too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from ..errors import BatchrunnerError, DiskTrouble

DISK_ERRNOS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOENT, errno.EACCES, errno.EPERM,
     errno.ENOTDIR, errno.ESTALE, errno.EFBIG, errno.EMFILE, errno.ENFILE}
)  # fmt: skip
"""What the operating system says when a folder cannot be written (any more)."""

FREE_SPACE_HINT: Final = (
    "free some space (or mend the disk), then run the same command: nothing is paid again"
)


SQLITE_CODES: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
     sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PERM,
     sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS}
)  # fmt: skip
"""What SQLite says when its file, not the statement, is the trouble (primary result codes)."""


DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def as_disk_trouble(error: Exception) -> BatchrunnerError:
    """Return *error* as the message that ends the run."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
        return DiskTrouble(
            f"the folder's ledger is damaged: {error}",
            hint="bring a whole copy of it back; a run without it could pay again",
        )
    return DiskTrouble(f"the output folder cannot be written: {error}", hint=FREE_SPACE_HINT)


def is_disk_error(error: Exception) -> bool:
    """Return whether the disk is to blame, and not a mistake of ours."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_CODES
    return isinstance(error, OSError) and error.errno in DISK_ERRNOS


@contextmanager
def disk_errors_named() -> Iterator[None]:
    """Turn what a failing disk raises inside the block into DiskTrouble."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not is_disk_error(error):
            raise
        raise as_disk_trouble(error) from error


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable (where the system can)."""
    if os.name == "nt":
        return  # Windows has no handle for a folder; NTFS journals its names
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder, private to the user and with a durable name, inside one that must be there."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(PermissionError):  # one may write into a folder that one may not list
        sync_folder(path.parent)


def move_durably(source: Path, target: Path) -> None:
    """Rename *source* to *target*, whose bytes are synced already, and make the new name durable."""
    source.replace(target)
    sync_folder(target.parent)


@contextmanager
def replaced_file(path: Path) -> Iterator[TextIO]:
    """Give a text file to write; it takes the place of *path* whole, when the block ends well."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "w", encoding="utf-8", newline="\n", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        move_durably(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
