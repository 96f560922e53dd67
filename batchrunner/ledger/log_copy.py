"""When are commits copied from SQLite's log into the ledger?  While nobody waits for it.

A commit is durable in the log; copying only keeps the log short.  SQLite does so within a commit, each time
the log has grown by some megabytes, and whoever waits for a step of a job waits for that as well.

A changed manifest's jobs may be half a gigabyte, to be copied while the service has nothing to do (a new
one's never come into the log: docs/decisions/0028).  So a run begins without it, and the copy is made, on a
connection of its own, when submissions have left.  From then on the same is done every few hundred commits:
when SQLite's turn comes there is next to nothing left to copy, and the log is written over from its start.
Not more often: the disk is busy with a copy for some milliseconds, in which a commit waits.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from ..errors import BatchrunnerError
from .connections import has_log
from .store import Store
from .writer import LedgerWriter

COPIED_AFTER_S: Final = 1.0
"""By then the first jobs are submitted."""

COPIED_EACH: Final = 256
"""Commits; some 1,600 pages of the log, where each holds one step of a job's life."""

PAGES: Final = 2048
"""By so many, 8 MB, the log may grow before a commit copies it."""

SMALL_BYTES: Final = PAGES * 4096


def put_off(store: Store) -> None:
    """Let commits leave the log alone until a LogCopy has copied it; closing the ledger does so, too."""
    store.connection.execute("PRAGMA wal_autocheckpoint = 0")


class LogCopy:
    """Copies the log beside a run."""

    def __init__(self, writer: LedgerWriter, ledger: Path, *, after_s: float = COPIED_AFTER_S) -> None:
        self._writer = writer
        self._ledger = ledger
        self._after_s = after_s
        self._scope = anyio.CancelScope()
        self._step = anyio.Lock()

    async def run(self) -> None:
        """Copy what is in the log, let commits keep it short from then on, and leave them little to do."""
        with self._scope:
            await anyio.sleep(self._after_s)
            connection = _connected(self._ledger)
            try:
                log = self._ledger.with_name(f"{self._ledger.name}-wal")
                if connection is not None and _size(log) > SMALL_BYTES:
                    await anyio.to_thread.run_sync(_copy, connection)
                has_log = await self._go_on_as_usual()
                while connection is not None and has_log:
                    await self._writer.commits(COPIED_EACH)
                    await anyio.to_thread.run_sync(_copy, connection)
            finally:
                if connection is not None:
                    connection.close()

    async def _go_on_as_usual(self) -> bool:
        async with self._step:
            with anyio.CancelScope(shield=True), suppress(BatchrunnerError):  # the next step meets it, too
                return await self._writer.do(_as_usual)
        return False

    async def end(self) -> None:
        """Begin nothing new; return when no step of this is left, as others use the writer's ledger now."""
        self._scope.cancel()
        async with self._step:
            pass


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _connected(ledger: Path) -> sqlite3.Connection | None:
    """Return a connection to copy with; None where there is no such ledger (any more), and none is made."""
    with suppress(sqlite3.Error):
        return sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=rw", uri=True, check_same_thread=False)
    return None


def _copy(connection: sqlite3.Connection) -> None:
    # A copy that fails loses nothing; where the disk is the trouble, the next commit says so.
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _as_usual(store: Store) -> bool:
    """Let commits keep the log short; return whether there is one."""
    store.connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
    return has_log(store.connection)
