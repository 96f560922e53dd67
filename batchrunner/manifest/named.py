"""Is a named manifest still the one that was taken in?

What decides its jobs is written down, as digests: the program's version, how the manifest was named, the
schemas (the catalogue's as well), the bytes of every file that was read for it, and the local images by
what no unnoticed change leaves as it was.  Where all of that is the same the jobs are, and nothing has to
be read again.  Why this is safe: docs/decisions/0008-unchanged-manifest.md
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from .. import __version__
from .._types import Json
from ..models import Schemas
from ..staging import LocalImage, LocalImages
from ..staging.local_images import identities, is_still
from .parts import WHOLE, Part
from .read import Found, read_found
from .source import STDIN, Format, format_of

if TYPE_CHECKING:
    from .beside import Asked
    from .job_block import WrittenBlock

BIG_BYTES: Final = 16 * 2**20
"""A manifest of so many is read in some two seconds; another process for that starts in a third of one."""


@dataclass(slots=True, kw_only=True)
class NamedManifest:
    """A manifest as the user named it, with everything else that decides its jobs."""

    source: str
    input_format: str | None = None
    model: str | None = None
    schemas: Schemas = field(default_factory=Schemas)
    may_stage: bool = False
    """Whether there is a place to send local images from; without one each of them is a problem."""
    _images: LocalImages | None = field(default=None, init=False, repr=False)
    _read: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)
    """Each file that was read, with its digest from just before."""
    _is_mixed: bool = field(default=False, init=False, repr=False)
    """Whether it was read in two goes, between which it may have changed."""

    @property
    def form(self) -> Format:
        """How it is written.  Raises Usage where that cannot be told."""
        return format_of(self.source, self.input_format)

    def rows(self, *, noting: bool = True, part: Part = WHOLE) -> Iterator[Found]:
        """Read it, as `read_jobs` does, with as many jobs at a time as are plain to see.

        Without *noting* which files it was, there is no `record` of it.  Of JSON Lines a *part* may be read.
        """
        self._read.clear()
        self._is_mixed = False
        self._images = LocalImages(may_stage=self.may_stage)
        return read_found(
            self.source,
            input_format=self.input_format,
            model=self.model,
            schemas=self.schemas,
            images=self._images,
            before_reading=self._note if noting else _forget,
            part=part,
        )

    def rows_beside(
        self, *, counting: Sequence[str] = (), big_bytes: int = BIG_BYTES
    ) -> Generator[Found | WrittenBlock, None, None]:
        """Do the same by a second process where there is much to read; the caller closes it.

        Whatever keeps that one from coming to its end, this one goes on where it ended.  What the second one
        finds is counted by the inputs *counting*.
        """
        taken = 0
        if self.is_for_two(big_bytes):
            from .beside import Ended, NotRead, read_beside

            asked = self.asked(counting=tuple(counting))
            with suppress(NotRead), read_beside(asked, self.schemas.from_catalogue) as told:
                for found in told:
                    if isinstance(found, Ended):
                        self._read, self._is_mixed = dict(found.files), False
                        self._images = LocalImages(may_stage=self.may_stage, found=found.images)
                        return
                    yield cast("Found | WrittenBlock", found)
                    taken += 1
        rows = islice(self.rows(), taken, None)
        self._is_mixed = taken > 0
        yield from rows

    def is_for_two(self, big_bytes: int = BIG_BYTES) -> bool:
        """Return whether a second process would help to read it."""
        if self.source == STDIN or _size_bytes(self.source) < big_bytes:
            return False
        from ..second_process import can_help

        return can_help()

    def asked(self, **how: Any) -> Asked:
        """Return what another process is asked that is to read it."""
        from .beside import Asked

        return Asked(
            source=self.source,
            input_format=self.input_format,
            model=self.model,
            may_stage=self.may_stage,
            schema_files=self.schemas.files,
            schemas_digest=self.schemas.digest(),
            **how,
        )

    def files_read(self) -> Mapping[str, str | None]:
        """Return each file that `rows`, read to the last, came upon, with its digest from just before."""
        return self._read

    def local_images(self) -> list[LocalImage]:
        """Return every local image that `rows`, read to the last, came upon."""
        return self._images.found() if self._images else []

    def record(self) -> str | None:
        """Return what decided the jobs that `rows` gave, to the last; None where that cannot be told.

        Standard input and pipes cannot be looked at again, and a file that changed while it was read is
        neither the old one nor the new one.
        """
        if self.source == STDIN or self._is_mixed:
            return None
        if None in self._read.values() or self._digests(self._read) != self._read:
            return None
        images = identities(self.local_images())
        return None if images is None else self._written(self._read, images, self.schemas.published())

    def is_as(self, record: str | None) -> bool:
        """Return whether `rows` would give the very jobs that *record* was made of."""
        if record is None or self.source == STDIN:
            return False
        decided = json.loads(record)
        files: dict[str, str] = decided["files"]
        images: dict[str, list[int]] = decided.get("images", {})
        if self._digests(files) != files or not all(is_still(*image) for image in images.items()):
            return False
        published = self.schemas.published(decided.get("published", {}))
        return self._written(dict(files), images, published) == record

    def _note(self, path: Path) -> None:
        self._read[str(path)] = _digest(path)

    def _digests(self, names: Iterable[str]) -> dict[str, str | None]:
        return {name: _digest(Path(name)) for name in names}

    def _written(
        self, files: Mapping[str, str | None], images: Mapping[str, list[int]], published: Mapping[str, str]
    ) -> str:
        decides: Json = {
            "version": __version__,
            "source": self.source,
            "input_format": self.input_format,
            "model": self.model,
            "schemas": self.schemas.digest(),
            "published": dict(published),
            "files": dict(files),
            "images": {path: [*identity] for path, identity in images.items()},
        }
        return json.dumps(decides, sort_keys=True)


MANIFEST_FACT: Final = "manifest"
"""The folder's fact that holds the record of the manifest its jobs came from."""


def _forget(_: Path) -> None:
    """Nobody will ask."""


def _size_bytes(path: str) -> int:
    """Return the bytes of a file; 0 for what is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 (it is text)
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _digest(path: Path) -> str | None:
    """Return the hash of a file's bytes; None for what cannot be read, or not twice."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
