"""Do the two sets of books agree: what the service accepted and what the folder says?

The service's side is its own memory file, which no crash of ours reaches; the folder's side is read from the
ledger and the films.  `complaints` returns in plain words whatever breaks a promise.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from batchrunner.folder.folder import Folder
from batchrunner.simulator import FileMemory

from .films import film_of, hash_of
from .lives import Batch

OPEN = frozenset({"pending", "submitting", "submitted", "ready"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A job as the ledger has it, with what its results line shows of it."""

    id: str
    state: str
    attempts: int
    error_code: str | None
    files: tuple[tuple[str, str], ...]
    """Name and hash of each saved file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Both sides, read once."""

    accepted: tuple[tuple[str, str], ...]
    """Request id and prompt of every accepted submission that was not cancelled."""
    rows: Mapping[str, Row]
    recorded: frozenset[str]
    """Request ids in the ledger, those of superseded generations included."""
    doubtful: Counter[str]
    """How many attempts of a job are in doubt."""

    @property
    def paid(self) -> Counter[str]:
        """How often each prompt was accepted."""
        return Counter(text for _, text in self.accepted)

    @property
    def states(self) -> dict[str, str]:
        return {job_id: row.state for job_id, row in self.rows.items()}


def read_books(batch: Batch) -> Books:
    accepted: list[tuple[str, str]] = []
    if batch.memory.exists():
        with closing(FileMemory(batch.memory)) as memory:
            records = [record for record in memory.load() if record.cancelled_at is None]
            accepted = [(record.request_id, str(record.inputs["text"])) for record in records]
    ledger = batch.folder / "ledger.sqlite"
    if not Folder(batch.folder).has_ledger():  # killed before it held anything
        return Books(accepted=tuple(accepted), rows={}, recorded=frozenset(), doubtful=Counter())
    # Read-only: the last to close a ledger that was opened for writing would tidy its log away.
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as db:
        verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        assert verdict == "ok", verdict
        doubts = db.execute(
            "SELECT id FROM attempts JOIN jobs ON job = seq WHERE outcome = 'unknown' OR"
            " (attempts.request_id IS NULL AND outcome IS NULL)"
        )
        return Books(
            accepted=tuple(accepted),
            doubtful=Counter(job_id for (job_id,) in doubts),
            recorded=frozenset(
                r for (r,) in db.execute("SELECT request_id FROM attempts WHERE request_id IS NOT NULL")
            ),
            rows={row.id: row for row in _rows(db)},
        )


def _rows(db: sqlite3.Connection) -> Iterator[Row]:
    jobs = db.execute("SELECT seq, id, state, attempts, error_code, generation FROM jobs").fetchall()
    for seq, job_id, state, attempts, code, generation in jobs:
        files = db.execute(
            "SELECT file, sha256 FROM artifacts WHERE job = ? AND generation = ? AND saved_at IS NOT NULL",
            (seq, generation),
        ).fetchall()
        yield Row(id=job_id, state=state, attempts=attempts, error_code=code, files=tuple(files))


def complaints(batch: Batch, books: Books, *, may_be_paid: Mapping[str, int] | None = None) -> Iterator[str]:
    """Yield every broken promise; *may_be_paid* says how often a prompt was asked for, if not once."""
    for text, times in books.paid.items():
        if times > (may_be_paid or {}).get(text, 1):
            yield f"{text} was accepted {times} times"
    forgotten = Counter(text for request_id, text in books.accepted if request_id not in books.recorded)
    for text, times in forgotten.items():
        if times > books.doubtful[text]:
            yield f"{times} accepted requests of {text} are in no book, {books.doubtful[text]} in doubt"
    yield from half_named(batch)
    for row in books.rows.values():
        if row.state == "succeeded" and [digest for _, digest in row.files] != [
            hash_of(row.id, batch.padding)
        ]:
            yield f"{row.id} succeeded with {row.files}"
        for file, _ in row.files:
            if row.state == "succeeded" and not (batch.folder / file).is_file():
                yield f"{row.id} succeeded, and {file} is not there"


def half_named(batch: Batch) -> Iterator[str]:
    """Yield every file under a final name that is not, to the byte, the film of some job."""
    texts = [json.loads(line)["id"] for line in batch.manifest.read_text().splitlines()]
    films = {film_of(text, batch.padding) for text in texts}
    for path in _final_names(batch.folder):
        if path.read_bytes() not in films:
            yield f"{path.name} is no whole film"
    for name in ("results.jsonl", "metadata.jsonl"):
        path = batch.folder / name
        if path.exists() and not all(map(_is_json, path.read_text().splitlines())):
            yield f"{name} is torn"


def _final_names(folder: Path) -> Iterator[Path]:
    for place in ("videos", "superseded"):
        yield from (path for path in (folder / place).rglob("*") if path.is_file())


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def left_open(books: Books) -> Collection[str]:
    """Return the jobs that still wait for something."""
    return [row.id for row in books.rows.values() if row.state in OPEN]
