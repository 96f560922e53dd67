"""How does a checked film get into the store, and what proves that it is there?

Under the name it has in the folder, unless something else stands there: then under that name with its hash.
What is there already with these very bytes is not put there again: a run that was killed between an upload
and its record finds it so.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

import anyio.to_thread

from ..files.disk import sync_folder
from ..objects import FOLDER, Bucket, Found, Place, StoreTrouble

PROBE = ".batchrunner"
"""An empty object, put there before anything is paid: where it cannot be put, no film can."""

MOST_FAILURES = 3
"""After so many films in a row that could not be put there, a run leaves the store alone."""


class FilmChanged(Exception):
    """The local file is not what the ledger says: it must not pass for the film."""


class FilmStore:
    """One folder's films in one place of a store."""

    def __init__(self, place: Place, folder: Path, *, drop_local: bool, shared: bool = False) -> None:
        """*shared* says that others put films there at the same time, as shards do: names hold the hash."""
        self.place = place
        self.drop_local = drop_local
        self._folder = folder
        self._shared = shared
        self._bucket: Bucket | None = None
        self._failures = 0
        self.trouble = ""
        """Why the last film that could not be put there could not."""

    @property
    def gave_up(self) -> bool:
        """Whether the store is left alone for the rest of the run."""
        return self._failures >= MOST_FAILURES

    def failed(self, why: str) -> None:
        """Count a film that could not be put there after every try."""
        self._failures += 1
        self.trouble = why

    async def probe(self) -> None:
        """Raise Usage or StoreTrouble when nothing can be put there."""
        await self._opened().put(PROBE, b"", sha256=hashlib.sha256(b"").hexdigest())

    async def put(self, file: str, *, size_bytes: int, sha256: str) -> str:
        """Put *file* there and return its URL, once it is proved to be there.

        Raises FilmChanged, StoreTrouble, and OSError for a file that cannot be read.
        """
        path, bucket = self._folder / file, self._opened()
        if await anyio.to_thread.run_sync(_hash, path) != sha256:
            raise FilmChanged(f"{file} is not what was saved: `batchrunner verify DIR --repair` mends it")
        name, there = await self._name_for(file, size_bytes, sha256)
        if there and self.drop_local:
            there = await bucket.hash_of(name) == sha256  # else a damaged copy of it: put there again
        if not there:
            await bucket.put(name, path, sha256=sha256)
            await self._prove(name, size_bytes, sha256)
        self._failures = 0
        return self.place.url_of(name)

    async def let_go(self, file: str, url: str) -> None:
        """Take the local copy away."""
        await anyio.to_thread.run_sync(self._remove, self._folder / file, url)

    def _remove(self, path: Path, url: str) -> None:
        if self.place.scheme == FOLDER and path.exists() and path.samefile(url.removeprefix("file://")):
            return  # two ways to one file
        path.unlink(missing_ok=True)

    async def _name_for(self, file: str, size_bytes: int, sha256: str) -> tuple[str, bool]:
        """Return the name for a film, and whether it stands under it already."""
        path = PurePosixPath(file)
        own = str(path.with_name(f"{path.stem[:150]}-{sha256[:16]}{path.suffix}"))
        for name in (own,) if self._shared else (file, own):
            found = await self._opened().look(name)
            if found is None:
                return name, False
            if await self._is_the_film(name, found, size_bytes, sha256):
                return name, True
        return own, False  # nothing but a damaged copy of these bytes can stand there

    async def _is_the_film(self, name: str, found: Found, size_bytes: int, sha256: str) -> bool:
        if found.size_bytes != size_bytes:
            return False
        said = found.sha256 or await self._opened().hash_of(name)
        return said == sha256

    async def _prove(self, name: str, size_bytes: int, sha256: str) -> None:
        """Look at what was put there.  Raises StoreTrouble when it is not the film."""
        if self.place.scheme == FOLDER:
            await anyio.to_thread.run_sync(_sync, Path("/", self.place.prefix), name)
        found = await self._opened().look(name)
        if found is None or found.size_bytes != size_bytes or found.sha256 not in (None, sha256):
            raise StoreTrouble(f"{self.place.url_of(name)} is not there as it was put there")
        # Before the last other copy goes, the bytes in the store are read to the last.
        must_read = self.drop_local or found.sha256 is None
        if must_read and await self._opened().hash_of(name) != sha256:
            raise StoreTrouble(f"{self.place.url_of(name)} holds other bytes than were put there")

    def _opened(self) -> Bucket:
        if self._bucket is None:
            self._bucket = Bucket(self.place)
        return self._bucket


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(root: Path, name: str) -> None:
    """Make a file of a folder used as a store durable, with every name on the way to it."""
    path = root / name
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    for folder in (path.parent, *path.parent.parents):
        sync_folder(folder)
        if folder == root:
            break
