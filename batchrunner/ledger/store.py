"""The ledger: what is durably known of every job, and the only way to change it.

Every change of a state goes through ``_move``: next_state decides, and the row moves only from the state
it was read in, so a stale writer changes nothing.  Each method is one step of a job's life and runs inside
a transaction its caller opens (see writer.py).  Instants are Unix seconds and passed in; nothing here
knows the service, the clock or the event loop.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .._types import Inputs, JobError, JobId, Output, RequestId
from ..errors import ErrorCode
from ..lifecycle import Event, State, next_state
from ..names import collision_key, file_name
from .schema import ensure_schema

FOLDER_OF_KIND: Final = {"video": "videos", "image": "images", "audio": "audio"}


class AlreadyOwned(Exception):
    """A request id that belongs to another job; its id is the message."""


class StaleWrite(Exception):
    """The job is not in the state the writer read it in; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A job as the ledger holds it, with what its life needs."""

    seq: int
    id: JobId
    model: str
    inputs: Inputs
    state: State
    generation: int
    attempts: int
    """Accepted or in-doubt tries since the user last asked for it."""
    in_manifest: bool
    not_before: float | None
    request_id: RequestId | None
    submitted_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One output of a job: the link, and the file once it has one."""

    n: int
    key: str
    url: str
    kind: str | None
    file: str | None
    bytes: int | None
    sha256: str | None
    saved: bool


_ENTRY: Final = """SELECT seq, id, model, inputs, state, generation, attempts - attempts_from AS attempts,
    in_manifest, not_before, request_id, submitted_at FROM jobs"""

_NO_ERROR: Final[Mapping[str, None]] = {"error_code": None, "error_message": None, "service_code": None}


class Store:
    """One open ledger, on one connection, used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self.connection = connection

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open (or create) the ledger at *path* for writing, every commit synced to the disk."""
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # money depends on every commit
        connection.execute("PRAGMA cache_size = -8000")  # 8 MB, whatever the ledger's size
        ensure_schema(connection, path)
        path.chmod(0o600)
        return cls(connection)

    @classmethod
    def in_memory(cls) -> Store:
        """Open an empty ledger in memory."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        ensure_schema(connection, None)
        return cls(connection)

    @classmethod
    def scratch(cls) -> Store:
        """Open an empty ledger of any size that leaves nothing behind: a file SQLite deletes itself."""
        connection = sqlite3.connect("", isolation_level=None)
        ensure_schema(connection, None)
        return cls(connection)

    @classmethod
    def read_only(cls, path: Path) -> Store:
        """Open the ledger at *path* for reading; a run may be writing it meanwhile."""
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30
        )
        return cls(connection)

    @classmethod
    def copy_of(cls, path: Path) -> Store:
        """Open a scratch copy of the ledger at *path*, on which anything may be tried."""
        scratch = cls.scratch()
        with closing(cls.read_only(path)) as source:
            source.connection.backup(scratch.connection)
        ensure_schema(scratch.connection, None)
        return scratch

    def close(self) -> None:
        self.connection.close()

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the ledger's file, so that one file holds everything."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or none of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    # ── facts of the folder ──

    def fact(self, key: str) -> str | None:
        row = self.connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_fact(self, key: str, value: str | None) -> None:
        if value is None:
            self.connection.execute("DELETE FROM facts WHERE key = ?", (key,))
        else:
            self.connection.execute("REPLACE INTO facts VALUES (?, ?)", (key, value))

    # ── reading ──

    def entry(self, seq: int) -> Entry:
        return _entry(self.connection.execute(f"{_ENTRY} WHERE seq = ?", (seq,)).fetchone())

    def entry_of(self, job_id: str) -> Entry | None:
        row = self.connection.execute(f"{_ENTRY} WHERE id = ?", (job_id,)).fetchone()
        return _entry(row) if row else None

    def page(
        self, state: State, *, after: tuple[int, int] = (0, 0), limit: int = 200
    ) -> list[tuple[tuple[int, int], Entry]]:
        """Return up to *limit* jobs in *state* in manifest order, each with the key to go on *after*."""
        rows = self.connection.execute(
            f"{_ENTRY.replace(' FROM', ', position FROM')} WHERE state = ? AND (position, seq) > (?, ?)"
            " ORDER BY position, seq LIMIT ?",
            (state, *after, limit),
        )
        return [((row["position"], row["seq"]), _entry(row)) for row in rows]

    def seqs(self, state: State) -> array[int]:
        """Return the numbers of all jobs in *state*, eight bytes each, in manifest order."""
        rows = self.connection.execute(
            "SELECT seq FROM jobs WHERE state = ? ORDER BY position, seq", (state,)
        )
        return array("q", (row[0] for row in rows))

    def ids(self) -> Iterator[str]:
        """Yield the id of every job of the manifest."""
        return (row[0] for row in self.connection.execute("SELECT id FROM jobs WHERE in_manifest"))

    def pending(self) -> Iterator[tuple[str, str, int, bool]]:
        """Yield (id, model, attempts, asked for) of the manifest's pending jobs, in its order.

        Attempts are those since the user last asked; "asked for" says that the user did.
        """
        rows = self.connection.execute(
            "SELECT id, model, attempts - attempts_from AS attempts, attempts_from > 0 OR generation > 1"
            f" FROM jobs WHERE state = '{State.PENDING}' AND in_manifest ORDER BY position"
        )
        return ((row[0], row[1], row[2], bool(row[3]) and row[2] == 0) for row in rows)

    def succeeded(self) -> list[tuple[int, int]]:
        """Return (seq, generation) of every job that has succeeded."""
        rows = self.connection.execute(f"SELECT seq, generation FROM jobs WHERE state = '{State.SUCCEEDED}'")
        return [(row[0], row[1]) for row in rows]

    def ended(self) -> list[tuple[Entry, str | None]]:
        """Return every job that the user may ask to run again, with its error code."""
        rows = self.connection.execute(
            f"{_ENTRY.replace(' FROM', ', error_code FROM')} WHERE state IN (?, ?, ?, ?)",
            (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.UNKNOWN),
        )
        return [(_entry(row), row["error_code"]) for row in rows]

    def entries(self, *states: State) -> Iterator[Entry]:
        """Yield every job in one of *states*, in manifest order."""
        for state in states:
            after = (0, 0)
            while page := self.page(state, after=after):
                yield from (entry for _, entry in page)
                after = page[-1][0]

    def artifacts(self, seq: int, generation: int) -> list[Artifact]:
        rows = self.connection.execute(
            "SELECT * FROM artifacts WHERE job = ? AND generation = ? ORDER BY n", (seq, generation)
        )
        return [
            Artifact(n=r["n"], key=r["key"], url=r["url"], kind=r["kind"], file=r["file"], bytes=r["bytes"],
                     sha256=r["sha256"], saved=r["saved_at"] is not None)
            for r in rows
        ]  # fmt: skip

    def counts(self) -> dict[State, int]:
        """Return how many jobs of the manifest are in each state, zeros too."""
        rows = self.connection.execute("SELECT state, count(*) FROM jobs WHERE in_manifest GROUP BY state")
        found = {State(state): n for state, n in rows}
        return {state: found.get(state, 0) for state in State}

    def count(self, where: str, *values: object) -> int:
        """Return how many jobs satisfy the SQL condition *where*."""
        total: int = self.connection.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0]
        return total

    def unfinished(self) -> Iterator[tuple[str, State, int]]:
        """Yield (id, state, attempts) of the manifest's jobs that are pending or ended without success."""
        rows = self.connection.execute(
            "SELECT id, state, attempts FROM jobs WHERE in_manifest AND state IN (?, ?, ?, ?)",
            (State.PENDING, State.FAILED, State.CANCELLED, State.UNKNOWN),
        )
        return ((row[0], State(row[1]), row[2]) for row in rows)

    def errors(self) -> dict[str, int]:
        """Return how many of the manifest's jobs carry each error code, most first."""
        rows = self.connection.execute(
            "SELECT error_code, count(*) AS n FROM jobs WHERE in_manifest AND error_code IS NOT NULL"
            " AND state <> ? GROUP BY error_code ORDER BY n DESC, error_code",
            (State.PENDING,),
        )
        return {row[0]: row[1] for row in rows}

    def superseded_count(self) -> int:
        total: int = self.connection.execute("SELECT count(*) FROM generations").fetchone()[0]
        return total

    def largest_film(self) -> int:
        """Return the bytes of the largest output saved so far; 0 without one."""
        largest: int = self.connection.execute("SELECT ifnull(max(bytes), 0) FROM artifacts").fetchone()[0]
        return largest

    def cost_usd(self) -> float | None:
        """Return what the service said all attempts cost; None when it never said."""
        row = self.connection.execute("SELECT sum(cost_usd) FROM attempts").fetchone()
        return None if row[0] is None else float(row[0])

    # ── a submission ──

    def intend(self, seq: int, now: float) -> Entry:
        """Record the intent to submit.  After this commit, and only then, the POST may leave."""
        self._move(seq, State.PENDING, Event.SUBMIT, not_before=None, request_id=None, **_NO_ERROR)
        self.connection.execute("UPDATE jobs SET attempts = attempts + 1 WHERE seq = ?", (seq,))
        self.connection.execute(
            "INSERT INTO attempts (job, generation, number, intent_at)"
            " SELECT seq, generation, attempts, ? FROM jobs WHERE seq = ?",
            (now, seq),
        )
        return self.entry(seq)

    def accepted(self, seq: int, request_id: RequestId, now: float) -> Entry:
        """Record the request id.  An id that another attempt owns is no acceptance we can rely on."""
        if self._owner_of(request_id) is not None:
            return self.in_doubt(
                seq,
                JobError(code=ErrorCode.IN_DOUBT, message=f"the service gave request id {request_id} twice"),
            )
        self._move(seq, State.SUBMITTING, Event.ACCEPTED, request_id=request_id, submitted_at=now)
        self._attempt(seq, request_id=request_id, submitted_at=now)
        return self.entry(seq)

    def not_accepted(self, seq: int, *, not_before: float | None = None) -> Entry:
        """Take the intent back: the service certainly did not accept it, so it was no attempt."""
        self._drop_attempt(seq)
        self._move(seq, State.SUBMITTING, Event.NOT_ACCEPTED, not_before=not_before)
        return self._settled(seq)

    def refused(self, seq: int, error: JobError, now: float) -> Entry:
        self._drop_attempt(seq)
        self._move(seq, State.SUBMITTING, Event.REFUSED, completed_at=now, **_error(error))
        return self._settled(seq)

    def in_doubt(self, seq: int, error: JobError) -> Entry:
        self._move(seq, State.SUBMITTING, Event.IN_DOUBT, **_error(error))
        self._attempt(seq, outcome=State.UNKNOWN, error_code=error.code, error_message=error.message)
        return self.entry(seq)

    # ── a request at the service ──

    def done(self, seq: int, outputs: Sequence[Output], cost_usd: float | None, now: float) -> Entry:
        """Record the outputs; from here on their bytes are owed to the user."""
        self._move(seq, State.SUBMITTED, Event.DONE, completed_at=now, cost_usd=cost_usd, **_NO_ERROR)
        self._attempt(seq, completed_at=now, outcome=State.SUCCEEDED, cost_usd=cost_usd)
        self._set_outputs(seq, outputs)
        return self.entry(seq)

    def failed_there(
        self, seq: int, error: JobError, cost_usd: float | None, now: float, not_before: float
    ) -> Entry:
        """Record a failed generation that will be tried again not before an instant."""
        self._move(
            seq, State.SUBMITTED, Event.FAILED_THERE, completed_at=now, not_before=not_before, **_error(error)
        )
        self._close_attempt(seq, State.FAILED, error, cost_usd, now)
        return self._settled(seq)

    def gave_up(self, seq: int, error: JobError, cost_usd: float | None, now: float) -> Entry:
        """Record a final failure of a request: failed for the last time, lost, or without output."""
        self._move(
            seq, self.entry(seq).state, Event.GAVE_UP, completed_at=now, cost_usd=cost_usd, **_error(error)
        )
        self._close_attempt(seq, State.FAILED, error, cost_usd, now)
        return self._settled(seq)

    def no_output(self, seq: int, error: JobError, cost_usd: float | None, now: float) -> Entry:
        """Record a request that ended well and, after repeated looks, without any output."""
        self.done(seq, (), cost_usd, now)
        return self.gave_up(seq, error, cost_usd, now)

    def cancelled_there(self, seq: int, error: JobError, now: float) -> Entry:
        self._move(seq, State.SUBMITTED, Event.CANCELLED_THERE, completed_at=now, **_error(error))
        self._close_attempt(seq, State.CANCELLED, error, None, now)
        return self._settled(seq)

    def note(self, seq: int, error: JobError) -> Entry:
        """Keep *error* with a job that stays in its state."""
        self._set(seq, **_error(error))
        return self.entry(seq)

    # ── files ──

    def renew_outputs(self, seq: int, outputs: Sequence[Output]) -> list[Artifact]:
        """Replace the links of what is not saved yet by those of a fresh ``/result``."""
        entry = self.entry(seq)
        for n, output in enumerate(outputs, start=1):
            self.connection.execute(
                "UPDATE artifacts SET url = ?, key = ?"
                " WHERE job = ? AND generation = ? AND n = ? AND saved_at IS NULL",
                (output.url, output.key, seq, entry.generation, n),
            )
        return self.artifacts(seq, entry.generation)

    def reserve(
        self,
        seq: int,
        n: int,
        *,
        kind: str,
        extension: str,
        size_bytes: int,
        sha256: str,
        taken: Callable[[str], bool],
    ) -> str:
        """Give an output its file name, before the file gets it, and return it (relative to the folder).

        *taken* says whether a name is in use on disk by something the ledger does not know.
        """
        entry = self.entry(seq)
        known = self.connection.execute(
            "SELECT file, sha256 FROM artifacts WHERE job = ? AND generation = ? AND n = ?",
            (seq, entry.generation, n),
        ).fetchone()
        file: str | None = known["file"] if (known["file"] or "").endswith(extension) else None
        for candidate in _candidates(entry.id, n, FOLDER_OF_KIND[kind], extension, seq):
            if file is not None:
                break
            if not self._key_in_use(collision_key(candidate)) and not taken(candidate):
                file = candidate
        assert file is not None  # the candidates never end
        self.connection.execute(
            "UPDATE artifacts SET file = ?, file_key = ?, kind = ?, bytes = ?, sha256 = ?"
            " WHERE job = ? AND generation = ? AND n = ?",
            (file, collision_key(file), kind, size_bytes, sha256, seq, entry.generation, n),
        )
        return file

    def file_saved(self, seq: int, n: int, now: float) -> Entry:
        """Record that one output stands under its name; with the last of them the job has succeeded."""
        entry = self.entry(seq)
        self.connection.execute(
            "UPDATE artifacts SET saved_at = ? WHERE job = ? AND generation = ? AND n = ?",
            (now, seq, entry.generation, n),
        )
        if not all(artifact.saved for artifact in self.artifacts(seq, entry.generation)):
            return entry
        self._move(seq, State.READY, Event.SAVED, saved_at=now, **_NO_ERROR)
        return self._settled(seq)

    def file_missing(self, seq: int, missing: Sequence[int]) -> Entry:
        """Record that outputs *missing* (their n) are no longer there: they are fetched again."""
        entry = self.entry(seq)
        if entry.state is not State.READY:  # a job of several outputs may wait for another one already
            self._move(seq, State.SUCCEEDED, Event.FILE_MISSING, saved_at=None)
        self.connection.executemany(
            "UPDATE artifacts SET saved_at = NULL WHERE job = ? AND generation = ? AND n = ?",
            [(seq, entry.generation, n) for n in missing],
        )
        return self.entry(seq)

    def superseded_files(self) -> list[tuple[str, str]]:
        """Return (file, its place under ``superseded/``) for what an edit or redo left in the way."""
        rows = self.connection.execute(
            "SELECT a.file, a.generation FROM artifacts a JOIN jobs j ON j.seq = a.job"
            " WHERE a.generation < j.generation AND a.saved_at IS NOT NULL AND a.file NOT LIKE 'superseded/%'"
        ).fetchall()
        return [(row["file"], _superseded_name(row["file"], row["generation"])) for row in rows]

    def file_moved(self, file: str, moved_to: str) -> None:
        self.connection.execute(
            "UPDATE artifacts SET file = ?, file_key = ? WHERE file = ?",
            (moved_to, collision_key(moved_to), file),
        )

    # ── the user's word ──

    def rerun(self, entry: Entry, now: float) -> Entry:
        """Run a final job again, because the user asked for it, with fresh attempts; an old film is kept."""
        if entry.state is State.SUCCEEDED:
            self._supersede(entry.seq, now)
        self._move(entry.seq, entry.state, Event.RERUN, not_before=None, **_NO_ERROR)
        self.connection.execute("UPDATE jobs SET attempts_from = attempts WHERE seq = ?", (entry.seq,))
        return self._settled(entry.seq)

    def resubmit(self, seq: int, *, fresh: bool) -> Entry:
        """Let a job in doubt be submitted again: the user's word; with *fresh*, its attempts begin anew."""
        self._move(seq, State.UNKNOWN, Event.RESUBMIT, not_before=None, **_NO_ERROR)
        if fresh:
            self.connection.execute("UPDATE jobs SET attempts_from = attempts WHERE seq = ?", (seq,))
        return self._settled(seq)

    def cancel(self, seq: int, now: float) -> Entry:
        """Cancel a job of which nothing was sent."""
        self._move(seq, State.PENDING, Event.CANCEL, completed_at=now, not_before=None, **_NO_ERROR)
        return self._settled(seq)

    def attach(self, seq: int, request_id: RequestId, now: float) -> Entry:
        """Give a job in doubt the request id the user found.  Raises AlreadyOwned for another job's id."""
        owner = self._owner_of(request_id)
        if owner is not None:
            raise AlreadyOwned(owner)
        self._move(seq, State.UNKNOWN, Event.ATTACH, request_id=request_id, submitted_at=now, **_NO_ERROR)
        self._attempt(
            seq, request_id=request_id, submitted_at=now, outcome=None, error_code=None, error_message=None
        )
        return self.entry(seq)

    def give_up(self, seq: int, now: float) -> Entry:
        """Leave a job in doubt for good, because the user says so."""
        error = JobError(code=ErrorCode.GIVEN_UP, message="given up by the user while in doubt")
        self._move(seq, State.UNKNOWN, Event.GIVE_UP, completed_at=now, **_error(error))
        return self._settled(seq)

    def take_back(self, seq: int, error: JobError, now: float) -> Entry:
        """Put a request whose cancellation is confirmed back to pending, so that a later run submits it."""
        self.cancelled_there(seq, error, now)
        self._move(seq, State.CANCELLED, Event.RERUN, **_NO_ERROR)
        return self._settled(seq)

    def edit(self, seq: int, now: float) -> Entry:
        """Let the edit in ``next`` wait or take effect, as the job's state allows."""
        return self._settled(seq, now)

    # ── inside ──

    def _move(self, seq: int, state: State, event: Event, **columns: object) -> None:
        self._set(seq, state, state=next_state(state, event), **columns)

    def _set(self, seq: int, expected: State | None = None, /, **columns: object) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        guard = "" if expected is None else " AND state = :_expected"
        values: dict[str, Any] = {**columns, "_seq": seq, "_expected": expected}
        done = self.connection.execute(f"UPDATE jobs SET {sets} WHERE seq = :_seq{guard}", values)
        if done.rowcount != 1:
            raise StaleWrite(f"job number {seq} is not {expected}")

    def _attempt(self, seq: int, **columns: object) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        self.connection.execute(
            f"UPDATE attempts SET {sets} WHERE (job, generation, number) ="
            " (SELECT seq, generation, attempts FROM jobs WHERE seq = :_seq)",
            {**columns, "_seq": seq},
        )

    def _close_attempt(
        self, seq: int, outcome: str, error: JobError, cost_usd: float | None, now: float
    ) -> None:
        self._attempt(seq, completed_at=now, outcome=outcome, error_code=error.code,
                      error_message=error.message, cost_usd=cost_usd)  # fmt: skip

    def _drop_attempt(self, seq: int) -> None:
        self.connection.execute(
            "DELETE FROM attempts WHERE (job, generation, number) ="
            " (SELECT seq, generation, attempts FROM jobs WHERE seq = ?)",
            (seq,),
        )
        self.connection.execute("UPDATE jobs SET attempts = attempts - 1 WHERE seq = ?", (seq,))

    def _set_outputs(self, seq: int, outputs: Sequence[Output]) -> None:
        generation = self.entry(seq).generation
        self.connection.executemany(
            "INSERT INTO artifacts (job, generation, n, key, url) VALUES (?, ?, ?, ?, ?)",
            [(seq, generation, n, output.key, output.url) for n, output in enumerate(outputs, start=1)],
        )

    def _owner_of(self, request_id: RequestId) -> str | None:
        row = self.connection.execute(
            "SELECT jobs.id FROM attempts JOIN jobs ON jobs.seq = attempts.job WHERE attempts.request_id = ?",
            (request_id,),
        ).fetchone()
        return row[0] if row else None

    def _key_in_use(self, key: str) -> bool:
        return (
            self.connection.execute("SELECT 1 FROM artifacts WHERE file_key = ?", (key,)).fetchone()
            is not None
        )

    def _settled(self, seq: int, now: float | None = None) -> Entry:
        """Return the job as it is now, after an edit that waited for this moment took effect."""
        row = self.connection.execute("SELECT * FROM jobs WHERE seq = ?", (seq,)).fetchone()
        state = State(row["state"])
        if row["next"] is None or state not in _EDITABLE:
            return self.entry(seq)
        if state is not State.CANCELLED:
            if state is not State.PENDING or row["attempts"]:
                self._supersede(seq, now if now is not None else row["completed_at"] or 0.0)
            self._move(seq, state, Event.EDITED, not_before=None, **_NO_ERROR)
        self._set(seq, next=None, **json.loads(row["next"]))
        return self.entry(seq)

    def _supersede(self, seq: int, now: float) -> None:
        """Keep the current generation as it is, and begin the next one with nothing sent."""
        self.connection.execute(
            "INSERT INTO generations SELECT seq, generation, model, inputs, meta, state, request_id,"
            " error_code, cost_usd, ? FROM jobs WHERE seq = ?",
            (now, seq),
        )
        self.connection.execute(
            "UPDATE jobs SET generation = generation + 1, attempts = 0, attempts_from = 0, request_id = NULL,"
            " submitted_at = NULL, completed_at = NULL, saved_at = NULL, cost_usd = NULL WHERE seq = ?",
            (seq,),
        )


_EDITABLE: Final = frozenset({State.PENDING, State.SUCCEEDED, State.FAILED, State.CANCELLED})
"""States in which an edited row's old inputs owe nobody anything any more."""


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        seq=row["seq"], id=JobId(row["id"]), model=row["model"], inputs=json.loads(row["inputs"]),
        state=State(row["state"]), generation=row["generation"], attempts=row["attempts"],
        in_manifest=bool(row["in_manifest"]), not_before=row["not_before"],
        request_id=None if row["request_id"] is None else RequestId(row["request_id"]),
        submitted_at=row["submitted_at"],
    )  # fmt: skip


def _error(error: JobError) -> dict[str, object]:
    return {"error_code": str(error.code), "error_message": error.message, "service_code": error.service_code}


def _candidates(job_id: str, n: int, folder: str, extension: str, seq: int) -> Iterator[str]:
    yield f"{folder}/{file_name(job_id, n, extension)}"
    yield f"{folder}/{file_name(job_id, n, extension, distinct=True)}"
    number = seq
    while True:
        yield f"{folder}/{file_name(f'job-{number}', n, extension, distinct=True)}"
        number += 1_000_003  # far beyond any other job's number


def _superseded_name(file: str, generation: int) -> str:
    path = Path(file)
    return f"superseded/{path.parent}/{path.stem}.g{generation}{path.suffix}"
