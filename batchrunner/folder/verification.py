"""Is everything the ledger promises really there?  Its own pages, every file's hash and container, strays.

Repairs fetch again what was paid for; they never generate again.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from .._types import Json
from ..containers import NotWhole, examine
from ..errors import DiskTrouble
from ..files.shelf import PARTS
from ..ledger import Store
from ..lifecycle import State
from .folder import Folder
from .ownership import owned
from .reading import reading

FOLDERS: Final = ("videos", "images", "audio", "superseded")

_FILES: Final = """SELECT jobs.id, jobs.seq, state, n, a.file AS file, bytes, sha256,
    a.generation = jobs.generation AS current
    FROM artifacts a JOIN jobs ON jobs.seq = a.job WHERE a.saved_at IS NOT NULL ORDER BY position, seq, n"""


class Flaw(Struct, frozen=True, kw_only=True):
    """One file that is not what the ledger says."""

    id: str
    seq: int
    n: int
    file: str
    problem: str
    can_be_fetched: bool
    """False for a superseded film: its links are no longer ours to renew."""


class Verification(Struct, kw_only=True):
    """What was found."""

    files: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    """Files in the result folders that the ledger does not know."""

    def as_json(self) -> dict[str, Json]:
        flaws: list[Json] = [{"id": f.id, "file": f.file, "problem": f.problem} for f in self.flaws]
        return {"files": self.files, "flaws": flaws, "strays": list(self.strays)}


def verify(folder: Folder) -> Verification:
    """Check the folder without changing it.  Raises DiskTrouble for a damaged ledger, after copying it."""
    for part in folder.parts():
        part.require_ledger()
        check_ledger(part)
    found = Verification()
    with reading(folder) as store:
        known = set()
        for row in store.connection.execute(_FILES):
            known.add(row["file"])
            found.files += 1
            problem = _problem(folder.path / row["file"], row["bytes"], row["sha256"])
            if problem is not None:
                fetchable = bool(row["current"]) and row["state"] in (State.SUCCEEDED, State.READY)
                found.flaws.append(
                    Flaw(id=row["id"], seq=row["seq"], n=row["n"], file=row["file"], problem=problem,
                         can_be_fetched=fetchable)
                )  # fmt: skip
        found.strays = [name for name in _files_in(folder) if name not in known]
    return found


def mark_for_fetching(folder: Folder, flaws: list[Flaw]) -> int:
    """Put what is flawed aside and let the next run fetch it again; return how many jobs that are."""
    by_job: dict[int, list[Flaw]] = {}
    for flaw in flaws:
        if flaw.can_be_fetched:
            by_job.setdefault(flaw.seq, []).append(flaw)
    with owned(folder) as store:
        for seq, jobs_flaws in by_job.items():
            for flaw in jobs_flaws:
                _set_aside(folder.path, flaw.file)
            with store.transaction():
                store.file_missing(seq, [flaw.n for flaw in jobs_flaws])
    return len(by_job)


def check_ledger(folder: Folder) -> None:
    """Raise DiskTrouble when the ledger's own pages are damaged; a copy is kept beside it first."""
    try:
        with closing(Store.read_only(folder.ledger)) as store:
            verdict = store.connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        kept = folder.ledger.with_name(f"{folder.ledger.name}.damaged-{int(time.time())}")
        shutil.copy2(folder.ledger, kept)
        readable = _readable_jobs(folder.ledger)
        raise DiskTrouble(
            f"the ledger is damaged: {verdict}; {readable:,} jobs in it can still be read",
            hint=f"a copy is in {kept.name}; put a backup of {folder.ledger.name} in its place",
        )


def _readable_jobs(path: Path) -> int:
    readable = 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for _ in connection.execute("SELECT id, request_id FROM jobs"):
                readable += 1
    except sqlite3.DatabaseError:
        pass
    return readable


def _problem(path: Path, size_bytes: int, sha256: str) -> str | None:
    if not path.is_file():
        return "missing"
    if path.stat().st_size != size_bytes:
        return f"{path.stat().st_size:,} bytes instead of {size_bytes:,}"
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return "its bytes have changed"
    try:
        examine(path)
    except NotWhole as reason:
        return f"not whole: {reason}"
    return None


def _files_in(folder: Folder) -> Iterator[str]:
    """Yield what stands in the result folders, those of shards as well, as seen from *folder*."""
    places = [folder.path, *(part.path for part in folder.shards())]
    for path in sorted(path for place in places for name in FOLDERS for path in (place / name).rglob("*")):
        if path.is_file():
            yield path.relative_to(folder.path).as_posix()


def _set_aside(folder: Path, file: str) -> None:
    path = folder / file
    if path.exists():
        parts = folder / PARTS
        parts.mkdir(mode=0o700, exist_ok=True)
        path.replace(parts / f"{path.name}.rejected")
