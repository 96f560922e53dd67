"""The output folder: what stands where, whether it may be used, and who owns it.

One owner at a time: the lock is the operating system's own (flock), so a dead owner holds nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from ..errors import FolderTaken, FolderUnusable, ManifestMissing
from ..files.disk import make_folder
from ..files.filesystem import check_locks
from ..ledger.connections import is_blank, size_of
from ..sharding import SHARDS, Shard
from ..shards import check_shard, check_unsharded, shard_paths

LEDGER: Final = "ledger.sqlite"
WRITE_AHEAD_LOG: Final = f"{LEDGER}-wal"
RESULTS: Final = (
    "results.jsonl", "metadata.jsonl", "run.log", "videos", "images", "audio", "superseded", WRITE_AHEAD_LOG
)  # fmt: skip
"""What a run leaves; without the ledger beside them nobody knows what was paid."""

NAME_ANOTHER: Final = "move away the file that is in its place, or name another folder with -o"

NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What the system says of a lock on a file system that has none."""


class Folder(Struct, frozen=True):
    """One output folder, which may not exist yet."""

    path: Path

    @property
    def ledger(self) -> Path:
        return self.path / LEDGER

    @property
    def lock_file(self) -> Path:
        return self.path / "batchrunner.lock"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def simulator(self) -> Path:
        """Where a rehearsal's stand-in service remembers what it accepted."""
        return self.path / "simulator.sqlite"

    @property
    def shard(self) -> Shard | None:
        """Whose folder this is; None where it is no shard's."""
        return Shard.of_folder(self._absolute)

    @property
    def whole(self) -> Folder:
        """The folder that this one is a shard's of; itself where it is none."""
        if self.shard is None:
            return self
        named = self.path.parent.name == SHARDS and ".." not in self.path.parts  # as the user wrote it
        return Folder(self.path.parent.parent if named else self._absolute.parent.parent)

    @property
    def _absolute(self) -> Path:
        return Path(os.path.abspath(self.path))  # noqa: PTH100 (a link's own place counts, not what it names)

    def of_shard(self, shard: Shard) -> Folder:
        return Folder(self.path / SHARDS / shard.name)

    def shards(self) -> list[Folder]:
        """Return the folders of those shards that have a ledger, in order; none without shards."""
        folders = (Folder(path) for _, path in shard_paths(self.path))
        return [folder for folder in folders if folder.has_ledger()]

    def parts(self) -> list[Folder]:
        """Return the folders whose ledgers hold its jobs: itself, or its shards."""
        return [self] if self.has_ledger() else self.shards() or [self]

    def has_ledger(self) -> bool:
        """Return whether there is a ledger with something in it."""
        return self.ledger.is_file() and not is_blank(self.ledger)

    def check_usable(self) -> None:
        """Raise FolderUnusable when a run in here could pay again for what is there already."""
        if self.path.exists() and not self.path.is_dir():
            raise FolderUnusable(f"{self.path} is not a folder", hint=NAME_ANOTHER)
        if self.shard is None:
            check_unsharded(self.path, has_one_ledger=self.has_ledger())
        else:
            check_shard(self.whole.path, self.shard, has_one_ledger=self.whole.has_ledger())
        if not self.has_ledger():
            self.check_no_results()

    def check_no_results(self) -> None:
        """Raise FolderUnusable when results are there whose ledger is not."""
        left = [name for name in RESULTS if _holds_something(self.path / name)]
        if left == [WRITE_AHEAD_LOG] and self.ledger.is_file():
            return  # of a blank ledger: it was begun and holds nothing
        if left:
            raise FolderUnusable(
                f"{self.path} holds results ({', '.join(left)}) but no {LEDGER}, or an empty one:"
                " a run would pay again",
                hint=f"put {LEDGER} back beside them, or choose another folder with -o",
            )

    def require_ledger(self) -> None:
        """Raise ManifestMissing when there is no ledger to read, FolderUnusable when there are several."""
        if not self.ledger.is_file():
            check_unsharded(self.path, has_one_ledger=False)
            raise ManifestMissing(
                f"there is no {LEDGER} in {self.path}", hint="name the folder that was given to `run` with -o"
            )

    def create(self) -> None:
        """Make the folder, private to the user and with a durable name, where it does not exist.

        Raises FolderUnusable where a file is in the way.
        """
        try:
            for path in (*reversed(self.path.parents), self.path):
                make_folder(path)
        except (NotADirectoryError, FileExistsError) as error:
            raise FolderUnusable(
                f"{self.path} cannot be a folder: {error.strerror}", hint=NAME_ANOTHER
            ) from error

    def forget_ledger(self, *, with_folder: bool) -> None:
        """Take back what opening a new ledger left, when nothing came of it."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            self.ledger.with_name(f"{LEDGER}{suffix}").unlink(missing_ok=True)
        self.lock_file.unlink(missing_ok=True)
        if with_folder:
            for file in self.path.glob(f"{self.simulator.name}*"):
                file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def has_write_ahead_log(self) -> bool:
        """Return whether SQLite's log of the latest commits is beside the ledger."""
        return size_of(self.path / WRITE_AHEAD_LOG) > 0

    @contextmanager
    def locked(self) -> Iterator[Lock]:
        """Own the folder inside the block.  Raises FolderUnusable, naming the owner, when somebody does."""
        check_locks(self.path)
        handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not self._lock(handle):
                raise self._taken()
            if not self._is_lock_file(handle):
                raise self._taken()  # taken away by an owner that undid its folder this very moment
            yield Lock(handle)
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> bool:
        """Lock for ourselves; return whether nobody else has.

        Raises FolderUnusable where locks keep nobody out.
        """
        try:
            is_ours = _lock(handle)
            keeps_out = not is_ours or not _can_be_locked_again(self.lock_file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            keeps_out = False
        if not keeps_out:
            raise FolderUnusable(
                f"{self.path} is on a file system where a lock keeps nobody out: two runs could pay for"
                " the same jobs",
                hint="use a disk of this machine, or a network file system whose locks work",
            )
        return is_ours

    def _is_lock_file(self, handle: int) -> bool:
        """Return whether what we locked is still what stands under the lock file's name."""
        return self.lock_file.exists() and self.lock_file.stat().st_ino == os.fstat(handle).st_ino

    def owner(self) -> Owner | None:
        """Return who owns the folder at this moment; None when nobody does."""
        try:
            handle = os.open(self.lock_file, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._named_owner()
        except OSError:  # no locks there, so no owner either
            return None
        finally:
            os.close(handle)
        return None

    def check_not_owned(self) -> None:
        """Raise FolderUnusable, naming the owner, when somebody owns the folder at this moment."""
        if self.owner() is not None:
            raise self._taken()

    def _named_owner(self) -> Owner:
        said: object = None
        with contextlib.suppress(OSError, ValueError):
            said = json.loads(self.lock_file.read_text("utf-8"))
        named = {key: str(value) for key, value in said.items()} if isinstance(said, dict) else {}
        pid, host, since = (named.get(key, "?") for key in ("pid", "host", "started_at"))
        return Owner(pid=pid, host=host, started_at=since, control=named.get("control"))

    def _taken(self) -> FolderTaken:
        owner = self._named_owner()
        return FolderTaken(
            f"{self.path} is in use by process {owner.pid} on {owner.host} since {owner.started_at}",
            hint="wait for that run, or stop it with Ctrl-C where it runs",
        )


class Owner(Struct, frozen=True, kw_only=True):
    """Who owns a folder, as the lock file names it."""

    pid: str
    host: str
    started_at: str
    control: str | None = None
    """The socket at which it takes commands; None when it takes none."""


def _lock(handle: int) -> bool:
    """Lock for ourselves; return whether nobody else has.  Who only asks holds it for a moment."""
    for wait_s in (0.01, 0.04, 0.15, None):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait_s is not None:
                time.sleep(wait_s)
        else:
            return True
    return False


def _can_be_locked_again(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


class Lock:
    """The lock file of an owned folder: who owns it, and whether its ledger was closed."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.started_at = _now()
        self.control: Path | None = None
        """Where the owner takes commands."""
        before: object = None
        with contextlib.suppress(ValueError):
            before = json.loads(os.pread(handle, 4096, 0))
        self.left_open = isinstance(before, dict) and before.get("ledger") == "open"
        """Whether the last owner ended without closing the ledger."""
        self._says_open: bool | None = None

    def write(self, *, left_open: bool) -> None:
        """Name ourselves as the owner, and say whether the ledger is open.

        In one write over what was there, with spaces for what was longer: nobody reads an empty file, and
        a SIGKILL leaves what was said before or what is said now.
        """
        if left_open is self._says_open:
            return
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": self.started_at,
                 "ledger": "open" if left_open else "closed"}  # fmt: skip
        if self.control is not None:
            owner["control"] = str(self.control)
        os.pwrite(self._handle, json.dumps(owner).encode().ljust(os.fstat(self._handle).st_size), 0)
        os.fsync(self._handle)
        self._says_open = left_open


def _holds_something(path: Path) -> bool:
    if path.is_dir():
        return any(path.iterdir())
    return path.exists() and path.stat().st_size > 0  # a log that was only begun holds nothing yet


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
