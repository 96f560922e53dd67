"""Where films come to lie: part files apart, checked and synced, then renamed to their final names.

A *part* is what has arrived so far of one output.  It gets its final name only after it was found whole,
hashed and synced; nothing else in the program writes into the result folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, Protocol, cast

import anyio
import anyio.to_thread
from msgspec import Struct

from ..containers import Media, examine
from .disk import make_folder, move_durably

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from aiofiles.threadpool.binary import AsyncFileIO

PARTS: Final = ".partial"

MOST_UNSENT_BYTES: Final = 4 << 20
"""So much of a part may wait in memory for its sync; more is sent to the disk while the rest arrives."""


class Sealed(Struct, frozen=True, kw_only=True):
    """A part that is whole: what it is, how long, and its hash; its bytes are on the disk."""

    media: Media
    size_bytes: int
    sha256: str


class Part(Protocol):
    """What has arrived so far of one output."""

    @property
    def size_bytes(self) -> int: ...

    async def write(self, chunk: Buffer) -> None:
        """Add *chunk*, which the part may keep; nobody else writes into it any more."""

    async def restart(self) -> None:
        """Forget what has arrived."""

    async def seal(self) -> Sealed:
        """Check, hash and sync it; nothing is written after that.

        Raises containers.NotWhole, and leaves it open, when it is no whole film or picture.
        """

    async def set_aside(self) -> None:
        """Keep it as evidence of what the service sent, and begin anew."""


class Shelf(Protocol):
    """The folder's files, as the run uses them."""

    def begin(self, name: str) -> AbstractAsyncContextManager[Part]:
        """Give an empty part under a name of its own, for as long as the block lasts."""

    def is_taken(self, file: str) -> bool:
        """Return whether something stands under *file* (relative to the folder) already."""

    async def keep(self, part: Part, file: str) -> None:
        """Give a sealed part its final name."""

    async def holds(self, file: str, sha256: str) -> bool:
        """Return whether *file* is there with these very bytes."""

    def free_bytes(self) -> int:
        """Return how much still fits."""

    async def move(self, file: str, target: str) -> None:
        """Give a kept file another name; nothing happens when it is not there (any more)."""


class _HashedFile(io.FileIO):
    """A file for this user alone that hashes what is written to it, in whatever thread writes.

    Unbuffered: what comes are large pieces, and each goes to the system in one call.  A task that is
    cancelled leaves its write running; closing waits for that, so that no other file can get its bytes.
    """

    def __init__(self, path: Path) -> None:
        self._busy = threading.Lock()
        super().__init__(path, "wb", opener=_private)
        self._hash = hashlib.sha256()
        self._written = self._sent = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: Buffer, /) -> int:
        left = memoryview(data)
        with self._busy:
            while left:
                left = left[super().write(left) :]
            self._hash.update(data)
            self._written += memoryview(data).nbytes
            self._send()
        return memoryview(data).nbytes

    def _send(self) -> None:
        """Let the system begin to write: left alone it waits for the sync, and the line for the disk."""
        waiting = self._written - self._sent
        if waiting >= MOST_UNSENT_BYTES and hasattr(os, "posix_fadvise"):
            with contextlib.suppress(OSError):  # advice; whether all is on the disk is for the sync to say
                os.posix_fadvise(self.fileno(), self._sent, waiting, os.POSIX_FADV_DONTNEED)
            self._sent = self._written

    def truncate(self, size: int | None = None, /) -> int:
        self._hash = hashlib.sha256()
        self._written = self._sent = 0
        return super().truncate(size)

    def close(self) -> None:
        with self._busy:
            super().close()


class DiskPart:
    """A part in a file of its own, opened when its first bytes are here and open while it grows.

    The last piece waits for the next one, or to be sealed: one hop to a thread less for every film.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._last = memoryview(b"")
        self._file: _HashedFile | None = None

    async def write(self, chunk: Buffer) -> None:
        piece, self._last = self._last, memoryview(chunk)
        self.size_bytes += self._last.nbytes
        if self._file is not None:
            await _in_threads(self._file).write(piece)
        elif piece:  # opened by the thread that writes
            self._file = await anyio.to_thread.run_sync(_begun, self.path, piece)

    async def restart(self) -> None:
        self._last = memoryview(b"")
        if self._file is not None:
            file = _in_threads(self._file)
            await file.seek(0)
            await file.truncate()
        self.size_bytes = 0

    async def seal(self) -> Sealed:
        return await anyio.to_thread.run_sync(self._seal)

    def _seal(self) -> Sealed:
        file = self._with_all()
        media = examine(self.path)
        os.fsync(file)
        size_bytes = os.fstat(file.fileno()).st_size
        file.close()  # in this thread already: one hop less for every film
        return Sealed(media=media, size_bytes=size_bytes, sha256=file.sha256)

    async def set_aside(self) -> None:
        await anyio.to_thread.run_sync(self._copy, self.path.with_suffix(".rejected"))
        await self.restart()

    def _copy(self, target: Path) -> None:
        self._with_all()
        shutil.copyfile(self.path, target)

    def _with_all(self) -> _HashedFile:
        """Return the file with the last piece in it, too."""
        last, self._last = self._last, memoryview(b"")
        if self._file is None:
            self._file = _begun(self.path, last)
        elif last:
            self._file.write(last)
        return self._file

    @property
    def is_open(self) -> bool:
        return self._file is not None and not self._file.closed

    async def close(self) -> None:
        if self._file is not None:
            await _in_threads(self._file).close()


def _in_threads(file: _HashedFile) -> AsyncFileIO:
    from aiofiles.threadpool import wrap  # loaded when the first large film is here

    return cast("AsyncFileIO", wrap(file))


def _begun(path: Path, chunk: Buffer = b"") -> _HashedFile:
    """Open a part's file, in a folder that is there from now on, and write its first bytes."""
    try:
        file = _HashedFile(path)
    except FileNotFoundError:  # the run's first, or somebody tidied up
        make_folder(path.parent)
        file = _HashedFile(path)
    try:
        file.write(chunk)
    except BaseException:
        file.close()
        raise
    return file


class DiskShelf:
    """The output folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def begin(self, name: str) -> AsyncIterator[DiskPart]:
        part = DiskPart(self._folder / PARTS / f"{name}.part")
        try:
            yield part
        finally:
            if part.is_open:
                with anyio.CancelScope(shield=True):
                    await part.close()

    def is_taken(self, file: str) -> bool:
        return os.path.lexists(self._folder / file)

    async def holds(self, file: str, sha256: str) -> bool:
        return await anyio.to_thread.run_sync(_has_hash, self._folder / file, sha256)

    def free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    async def keep(self, part: Part, file: str) -> None:
        assert isinstance(part, DiskPart)
        await anyio.to_thread.run_sync(self._move, part.path, file)

    async def move(self, file: str, target: str) -> None:
        if self.is_taken(file):
            await anyio.to_thread.run_sync(self._move, self._folder / file, target)

    def _move(self, source: Path, file: str) -> None:
        """Make the folders *file* lies in, but never the output folder itself: it may have gone away."""
        target = self._folder / file
        try:
            move_durably(source, target)
        except FileNotFoundError:  # the first of its folder
            for parent in reversed(PurePath(file).parents[:-1]):
                make_folder(self._folder / parent)
            move_durably(source, target)


def _has_hash(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
