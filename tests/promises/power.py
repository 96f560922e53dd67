"""A disk that forgets what was not synced: what is left of an output folder when the power fails.

The bytes of a file last as they were at its latest fsync (never synced: none), a name lasts once the folder
it stands in was synced.  In between a disk may do either, so a cut comes in two kinds: LAZY, where no name
change lasted that was not synced, and EAGER, where every one did and only bytes are missing.

SQLite syncs by itself, below Python: its file and log count as synced at each commit if, and only if, the
connection says ``synchronous=FULL``.  Not modelled: a sector torn in the middle, and disks that lie about
having written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from batchrunner.ledger import Store

from .cuts import Cut
from .seams import put

FULL = 2
"""What ``PRAGMA synchronous`` answers for FULL."""


class Disk:
    """What lasts of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {}
        self._held: list[int] = []  # open handles, so that no inode number is used a second time

    def watch(self) -> None:
        """See every fsync of this process and every commit of its ledger."""
        sync = os.fsync

        def fsync(file: int | IO[bytes]) -> None:
            handle = file if isinstance(file, int) else file.fileno()
            sync(handle)
            self.synced(Path(f"/proc/self/fd/{handle}").readlink())

        put(os, "fsync", fsync)
        transaction = Store.transaction

        @contextmanager
        def committed(store: Store) -> Iterator[None]:
            with transaction(store):
                yield
            self._commit(store)

        put(Store, "transaction", committed)
        checkpoint = Store.checkpoint

        def checkpointed(store: Store) -> bool:
            whole = checkpoint(store)
            self._commit(store)  # it syncs the file that it copies the log into
            return whole

        put(Store, "checkpoint", checkpointed)

    def synced(self, path: Path) -> None:
        """Let the bytes of a file last, or the names in a folder."""
        if path.is_dir():
            self._names[path] = {entry.name: entry.inode() for entry in os.scandir(path)}
        elif path.exists():
            self._held.append(os.open(path, os.O_RDONLY))
            self._bytes[path.stat().st_ino] = path.read_bytes()

    def _commit(self, store: Store) -> None:
        if store.connection.execute("PRAGMA synchronous").fetchone()[0] < FULL:
            return
        file = store.connection.execute("PRAGMA database_list").fetchone()[2]
        for path in (Path(file), Path(f"{file}-wal")):
            if path.exists():
                self.synced(path)
                self._names.setdefault(path.parent, {})[path.name] = path.stat().st_ino

    def write_what_lasts(self, cut: Cut, target: Path) -> None:
        """Make *target* what the folder is after the power came back."""
        if cut is Cut.LAZY and self._folder.name not in self._names.get(self._folder.parent, {}):
            return  # not even the folder's own name had lasted
        self._write(self._folder, cut, target)

    def _write(self, folder: Path, cut: Cut, target: Path) -> None:
        target.mkdir()
        now = {entry.name: entry.inode() for entry in os.scandir(folder)} if folder.exists() else {}
        names = now if cut is Cut.EAGER else self._names.get(folder, {})
        for name, inode in names.items():
            path = folder / name
            if path.exists() and stat.S_ISDIR(path.stat().st_mode):
                self._write(path, cut, target / name)
            elif not name.endswith("-shm"):
                (target / name).write_bytes(self._bytes.get(inode, b""))
