"""When is a run's first commit copied from SQLite's log into the ledger?  Not before the first submission.

A new manifest's jobs may be half a gigabyte, which SQLite would copy within the commit that takes them in,
while the service has nothing to do.  That commit is durable in the log; the copy only keeps the log short.
So a run begins without it, and the copy is made, on a connection of its own, when submissions have left.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from ..errors import BatchrunnerError
from .store import Store
from .writer import LedgerWriter

COPIED_AFTER_S: Final = 1.0
"""By then the first jobs are submitted."""

PAGES: Final = 1000
"""SQLite's own measure: by so many the log may grow before a commit copies it."""

SMALL_BYTES: Final = PAGES * 4096


def put_off(store: Store) -> None:
    """Let commits leave the log alone until `copy_soon` has copied it; closing the ledger copies it, too."""
    store.connection.execute("PRAGMA wal_autocheckpoint = 0")


async def copy_soon(writer: LedgerWriter, ledger: Path, *, after_s: float = COPIED_AFTER_S) -> None:
    """Copy what is in the log, and let commits keep it short from then on."""
    await anyio.sleep(after_s)
    await anyio.to_thread.run_sync(_copy, ledger)
    with suppress(BatchrunnerError):  # the next step of a job meets it, too
        await writer.do(_as_usual)


def _copy(ledger: Path) -> None:
    log = ledger.with_name(f"{ledger.name}-wal")
    # A copy that fails loses nothing; where the disk is the trouble, the next commit says so.
    with suppress(OSError, sqlite3.Error):
        if log.stat().st_size > SMALL_BYTES:
            with closing(sqlite3.connect(ledger)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _as_usual(store: Store) -> None:
    store.connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
