"""To own a folder: its lock, its ledger open for writing, and the certainty that the ledger is complete.

While it is owned, the lock file says that the ledger was not closed; SQLite then keeps the latest commits in
``ledger.sqlite-wal``.  A ledger that was not closed and has no such file has lost them on the way (a copy
without it, say), and a run on it could pay again.  On a network file system there is no such log (see
filesystem.py): every commit is in the ledger's own file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from ..client import Timeouts
from ..errors import BatchrunnerError, FolderUnusable
from ..files.disk import disk_errors_named
from ..files.filesystem import check_locks
from ..ledger import Store
from ..ledger.connections import begin_log, has_log, has_log_format
from ..sharding import SHARD_FACT, Shard
from ..shards import check_shard, record_count, recorded_count, unfinished_merge
from .folder import LEDGER, WRITE_AHEAD_LOG, Folder, Lock
from .lease import Lease, Terms, kept

OWNED_FACT: Final = "owned"
"""The ledger's fact that says since when it was owned the last time."""

LOG: Final = logging.getLogger("batchrunner")

USUAL: Final = Terms.of(Timeouts())

OTHERS_BEGIN_S: Final = 3.0
"""How long the shards that begin at the same instant may take to agree on their number."""


@contextmanager
def owned(
    folder: Folder,
    *,
    undo_on: tuple[type[BatchrunnerError], ...] = (),
    control: Path | None = None,
    terms: Terms = USUAL,
    tell: Callable[[str], None] = LOG.warning,
    log_at_once: bool = True,
) -> Iterator[Store]:
    """Give the folder's ledger, for writing, to nobody else.

    *control* is where the owner will take commands; the lock file names it.  A new ledger gets its log
    *log_at_once*, or with `Store.begin_log`: see `open_for_writing`.
    A shard is leased by *terms*, too, and *tell* hears for how long another machine's lease is watched.
    An error of *undo_on* takes a ledger (and folder) that was only made now away again.  Raises
    FolderUnusable when somebody owns it or the ledger is not complete, DiskTrouble for the disk's.
    """
    with disk_errors_named():
        check_locks(folder.path)  # before anything is made
        made = not folder.path.exists()
        if folder.shard is not None:
            begin_shards(folder.whole, folder.shard)
        folder.create()
        with folder.locked() as lock:
            folder.check_usable()
            if folder.shard is not None and recorded_count(folder.whole.path) is None:
                raise unfinished_merge(folder.whole.path)  # it has taken the shards away this very moment
            lock.control = control
            fresh = not folder.ledger.exists()
            check_complete(folder, lock)
            try:
                with _leased(folder, terms, tell) as lease, _opened(folder, lock, log_at_once) as store:
                    if lease is not None:
                        store.fence, store.wall = lease.check, lease.check_writing
                    yield store
            except undo_on:
                if fresh:
                    folder.forget_ledger(with_folder=made)
                raise


@contextmanager
def _leased(folder: Folder, terms: Terms, tell: Callable[[str], None]) -> Iterator[Lease | None]:
    """Hold the lease of a shard, which says whether it may be another machine's; other folders have none."""
    if folder.shard is None:
        yield None
        return
    lease = Lease(folder.path, terms)
    lease.take(tell)
    with kept(lease):
        yield lease


def begin_shards(whole: Folder, shard: Shard) -> None:
    """Record in how many shards *whole* is, unless that is done.

    Under the lock of *whole*: an unsharded run and the first of the shards cannot both begin.
    """
    deadline = time.monotonic() + OTHERS_BEGIN_S
    while recorded_count(whole.path) is None:
        whole.create()
        with ExitStack() as held:
            try:
                held.enter_context(whole.locked())
            except FolderUnusable:  # another shard is about to record it, or a run owns the whole
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
                continue
            check_shard(whole.path, shard, has_one_ledger=whole.has_ledger())
            if recorded_count(whole.path) is None:
                whole.check_usable()
                record_count(whole.path, shard.count)


def check_complete(folder: Folder, lock: Lock) -> None:
    """Raise FolderUnusable when the last owner left commits behind that are not here any more."""
    if not lock.left_open:
        return
    if not folder.ledger.is_file():
        gone = LEDGER
    elif not folder.has_ledger() or (has_log_format(folder.ledger) and not folder.has_write_ahead_log()):
        gone = WRITE_AHEAD_LOG
    else:
        return
    raise FolderUnusable(
        f"{folder.ledger} was not closed by its last run, and its latest commits ({gone}) are gone:"
        " a run could pay again",
        hint="bring that file back; if nothing was lost (another program opened and closed the"
        f" ledger), delete {folder.lock_file.name} and run again",
    )


@contextmanager
def _opened(folder: Folder, lock: Lock, log_at_once: bool) -> Iterator[Store]:
    with _closed_well(lock), closing(Store.open(folder.ledger, log_at_once=log_at_once)) as store:
        _check_place(folder, store)
        with store.transaction():
            if folder.shard is not None:
                store.set_fact(SHARD_FACT, str(folder.shard))
            store.set_fact(OWNED_FACT, lock.started_at)  # where there is a log, it is one to miss now
        lock.write(left_open=log_at_once or has_log(store.connection))
        store.begin_log = partial(_begin_log, folder, store, lock)
        try:
            yield store
        finally:
            if store.checkpoint():
                # Before the close deletes the log: a SIGKILL in between must not look like a loss.
                lock.write(left_open=False)


def _begin_log(folder: Folder, store: Store, lock: Lock) -> None:
    """Let a new ledger have its log, with something in it, and only then call it one that may be missed."""
    if has_log(store.connection):
        return
    begin_log(store.connection, folder.ledger)
    with store.transaction():
        store.set_fact(OWNED_FACT, lock.started_at)
    lock.write(left_open=True)


def _check_place(folder: Folder, store: Store) -> None:
    """Raise FolderUnusable when the ledger is a shard's and stands elsewhere, or the other way round."""
    recorded, here = store.fact(SHARD_FACT), None if folder.shard is None else str(folder.shard)
    if recorded != here and store.fact(OWNED_FACT) is not None:
        whose = "of a whole folder" if recorded is None else f"of shard {recorded}"
        raise FolderUnusable(
            f"{folder.ledger} is the ledger {whose} and does not stand in its place: what is in it may be"
            " paid for elsewhere",
            hint="go on in the folder it came from, or in the one ledger that `batchrunner merge` made of it",
        )


@contextmanager
def _closed_well(lock: Lock) -> Iterator[None]:
    """Note after the block that the ledger was closed: by an error as well, but not by a SIGKILL."""
    try:
        yield
    finally:
        lock.write(left_open=False)
