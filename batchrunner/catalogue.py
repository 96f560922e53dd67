"""What does the service's catalogue say about a model, and what did it say when it was last asked?

Answers are kept on the disk, privately, under the service's address and with their age: so that a manifest
can be checked without a network.  Nothing in there is a secret; a cache that cannot be read or written is
as good as none.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from ._types import Json

FRESH_S: Final = 86_400.0
"""A day: how long a schema that was read once is not asked for again."""

LONGEST_NAME: Final = 200
"""Characters of a file's name; a longer model id is kept under its hash."""


class Remembered(Struct, frozen=True, kw_only=True):
    """One answer of the catalogue, and when it came."""

    document: dict[str, Json]
    fetched_at: float

    def age_s(self, now: float) -> float:
        return max(0.0, now - self.fetched_at)


class Shelf(Struct, frozen=True):
    """The answers of one service, on the disk."""

    folder: Path | None
    """None remembers nothing."""

    def get(self, name: str) -> Remembered | None:
        """Return what was kept under *name*; None when there is nothing that can be read."""
        if self.folder is None:
            return None
        try:
            kept = json.loads(_path(self.folder, name).read_bytes())
            document, fetched_at = kept["document"], float(kept["fetched_at"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return Remembered(document=document, fetched_at=fetched_at) if isinstance(document, dict) else None

    def put(self, name: str, document: dict[str, Json], now: float | None = None) -> None:
        """Keep *document* under *name*, as far as the disk lets us."""
        if self.folder is None:
            return
        fetched_at = time.time() if now is None else now
        content = json.dumps({"name": name, "fetched_at": fetched_at, "document": document})
        with contextlib.suppress(OSError, ValueError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(_path(self.folder, name), content)


def _path(folder: Path, name: str) -> Path:
    safe = quote(name, safe="").replace(".", "%2E")
    if len(safe) > LONGEST_NAME:
        safe = sha256(name.encode("utf-8", "replace")).hexdigest()
    return folder / f"{safe}.json"


def _replace(path: Path, content: str) -> None:
    """Put *content* in the place of *path*, whole; readable to the user alone."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as part:
        try:
            part.write(content)
            part.close()
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def shelf_of(origin: str, environ: Mapping[str, str] = os.environ) -> Shelf:
    """Return where the answers of the service at *origin* are kept (below ``$XDG_CACHE_HOME``)."""
    home = environ.get("XDG_CACHE_HOME", "")
    user = Path(environ.get("HOME") or "~").expanduser()
    cache = Path(home) if Path(home).is_absolute() else user / ".cache"
    return Shelf(cache / "batchrunner" / "catalogue" / quote(origin, safe=""))
