"""Is the file that a row names for an image there, an image, and small enough; and what are its bytes?

Every file is looked at once a reading, however many rows name it.  What decides a job is the file's content;
where an unchanged file is to be known again without reading it (decision 0008), its identity is compared:
length, inode, and the instants of its last write and its last change of any kind, which no program can set.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from ..containers import NotWhole, examine
from ..models.images import HEAD_BYTES, content_problem, extension_of
from ..models.wording import show
from .reference import reference_to

MOST_REMEMBERED: Final = 20_000
"""Of more images no identities are written down: the manifest is read again, and they with it."""

RACY_S: Final = 2.0
"""A file changed less long ago could change again within the same tick of its file system's clock."""

EXAMINED: Final = frozenset({".png", ".jpg", ".gif", ".webp"})
"""Kinds of which we know what makes a file whole; of others, the first bytes have to do."""

STAGE_HINT: Final = "name a place for it with --stage s3://BUCKET/PREFIX, or give a public https:// address"

Identity = tuple[int, int, int, int]


class BadImage(ValueError):
    """A file that cannot be sent: the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class LocalImage(Struct, frozen=True, kw_only=True):
    """One file, as it was when it was looked at."""

    reference: str
    path: str
    """Absolute."""
    written: str
    """As the manifest says it."""
    size_bytes: int
    identity: Identity
    looked_at: float


class LocalImages:
    """The local images of one manifest."""

    def __init__(self, *, may_stage: bool, found: Iterable[LocalImage] = ()) -> None:
        """*may_stage* says whether there is a place to send them from; else each of them is a problem.

        *found* are some that were looked at already.
        """
        self.may_stage = may_stage
        self._seen: dict[str, LocalImage | BadImage] = {image.path: image for image in found}
        self._by_name: dict[tuple[Path, str], LocalImage] = {}

    def forget(self) -> None:
        """Look at every file anew from now on."""
        self._seen.clear()
        self._by_name.clear()

    def found(self) -> list[LocalImage]:
        """Return every image that was looked at and is fine."""
        return [image for image in self._seen.values() if isinstance(image, LocalImage)]

    def look(self, written: str, folder: Path) -> LocalImage:
        """Return the image that a path *written* in a file of *folder* names.  Raises BadImage."""
        known = self._by_name.get((folder, written))
        if known is not None:
            return known
        path = os.path.abspath(folder / written)  # noqa: PTH100 (as it is written: links are not followed)
        if path not in self._seen:
            self._seen[path] = self._looked(path, written)
        image = self._seen[path]
        if isinstance(image, BadImage):
            raise image
        if not self.may_stage:
            raise BadImage(f"{show(written)} is a local file, which the service cannot fetch", STAGE_HINT)
        self._by_name[folder, written] = image
        return image

    def _looked(self, path: str, written: str) -> LocalImage | BadImage:
        try:
            return _read(path, written)
        except NotWhole as reason:
            return self._bad(f"{show(written)}: {reason}", None)
        except FileNotFoundError:
            where = "" if os.path.isabs(written) else f" ({show(path)})"  # noqa: PTH117 (it is text)
            return self._bad(
                f"{show(written)}: there is no such file{where}",
                "a path is relative to the file it is written in; an address begins with https://",
            )
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "no name that a file can have"
            return self._bad(f"{show(written)} cannot be read: {why}", None)

    def _bad(self, message: str, hint: str | None) -> BadImage:
        """Return what to say of a file; without a stage, both things that are wrong with it."""
        hints = [hint] if hint else []
        if not self.may_stage:
            hints.append("local images also need --stage s3://BUCKET/PREFIX")
        return BadImage(message, "; ".join(hints) or None)


def _read(path: str, written: str) -> LocalImage:
    """Raises OSError, ValueError for a name no file can have, and NotWhole for what is no image."""
    path.encode()  # half a character is no name, though the system might take it for one
    identity = _identity(path)
    looked_at = time.time()
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
        problem = content_problem(head, identity[0]) if head else "it is empty"
        if problem is not None:
            raise NotWhole(problem)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    extension = extension_of(head)
    if extension in EXAMINED:
        examine(Path(path))
    return LocalImage(
        reference=reference_to(sha256, extension),
        path=path,
        written=written,
        size_bytes=identity[0],
        identity=identity,
        looked_at=looked_at,
    )


def _identity(path: str) -> Identity:
    status = os.stat(path)  # noqa: PTH116 (thousands of them: no Path for each)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
        raise NotWhole(f"it is {kind}")
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


# ── known again without being read ──


def identities(images: Iterable[LocalImage]) -> dict[str, list[int]] | None:
    """Return what tells each of *images* from a changed one; None where that cannot be told.

    It cannot for a file that changed while it was read or a moment before, and is not for very many.
    """
    found = list(images)
    if len(found) > MOST_REMEMBERED:
        return None
    for image in found:
        changed_at = max(image.identity[2:]) / 1e9
        if changed_at > image.looked_at - RACY_S or not is_still(image.path, list(image.identity)):
            return None
    return {image.path: list(image.identity) for image in found}


def is_still(path: str, identity: list[int]) -> bool:
    """Return whether the file at *path* is the one with that *identity*, unchanged."""
    try:
        return list(_identity(path)) == identity
    except (OSError, ValueError, NotWhole):
        return False
