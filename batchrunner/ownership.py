"""To own a folder: its lock, its ledger open for writing, and the certainty that the ledger is complete.

While it is owned, the lock file says that the ledger was not closed; SQLite then keeps the latest commits in
``ledger.sqlite-wal``.  A ledger that was not closed and has no such file has lost them on the way (a copy
without it, say), and a run on it could pay again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .disk import disk_errors_named
from .errors import BatchrunnerError, FolderUnusable
from .folder import Folder, Lock
from .ledger import Store


@contextmanager
def owned(
    folder: Folder, *, undo_on: tuple[type[BatchrunnerError], ...] = (), control: Path | None = None
) -> Iterator[Store]:
    """Give the folder's ledger, for writing, to nobody else.

    *control* is where the owner will take commands; the lock file names it.
    An error of *undo_on* takes a ledger (and folder) that was only made now away again.  Raises
    FolderUnusable when somebody owns it or the ledger is not complete, DiskTrouble for the disk's.
    """
    with disk_errors_named():
        made = not folder.path.exists()
        folder.create()
        with folder.locked() as lock:
            folder.check_usable()
            lock.control = control
            fresh = not folder.ledger.exists()
            _check_complete(folder, lock)
            try:
                with _opened(folder, lock) as store:
                    yield store
            except undo_on:
                if fresh:
                    folder.forget_ledger(with_folder=made)
                raise


def _check_complete(folder: Folder, lock: Lock) -> None:
    """Raise FolderUnusable when the last owner left commits behind that are not here any more."""
    if lock.left_open and not folder.has_write_ahead_log():
        raise FolderUnusable(
            f"{folder.ledger} was not closed by its last run, and its latest commits"
            f" ({folder.ledger.name}-wal) are not beside it: a run could pay again",
            hint="bring that file back; if nothing was lost (another program opened and closed the"
            f" ledger), delete {folder.lock_file.name} and run again",
        )


@contextmanager
def _opened(folder: Folder, lock: Lock) -> Iterator[Store]:
    with _closed_well(lock), closing(Store.open(folder.ledger)) as store:
        with store.transaction():
            store.set_fact("owned", lock.started_at)  # from here on there is a log to miss
        lock.write(left_open=True)
        try:
            yield store
        finally:
            if store.checkpoint():
                # Before the close deletes the log: a SIGKILL in between must not look like a loss.
                lock.write(left_open=False)


@contextmanager
def _closed_well(lock: Lock) -> Iterator[None]:
    """Note after the block that the ledger was closed: by an error as well, but not by a SIGKILL."""
    try:
        yield
    finally:
        lock.write(left_open=False)
