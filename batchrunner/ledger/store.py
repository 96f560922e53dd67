"""The ledger: what is durably known of every job, and the only way to change it.

Every change of a state goes through ``_move``: next_state decides, and the row moves only from the state
it was read in, so a stale writer changes nothing.  Each method is one step of a job's life and runs inside
a transaction its caller opens (see writer.py).  Instants are Unix seconds and passed in; nothing here
knows the service, the clock or the event loop.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from .._types import JobError, Output, RequestId
from ..errors import ErrorCode
from ..lifecycle import Event, State, next_state
from ..names import collision_key
from ..naming import Layout, Subject, candidates
from .connections import open_for_reading, open_for_writing, open_scratch
from .queries import Artifact, Entry, Queries
from .schema import ensure_schema

LAYOUT: Final = "layout"
"""The folder's fact that says how its files are called."""

FOLDER_OF_KIND: Final = {"video": "videos", "image": "images", "audio": "audio"}


class AlreadyOwned(Exception):
    """A request id that belongs to another job; its id is the message."""


class StaleWrite(Exception):
    """The job is not in the state the writer read it in; nothing was changed."""


class OverCap(Exception):
    """One more attempt would cost more than the folder may."""

    def __init__(self, committed_micros: int) -> None:
        super().__init__(f"{committed_micros} micro-dollars are spent or set aside")
        self.committed_micros = committed_micros


_NO_ERROR: Final[Mapping[str, None]] = {"error_code": None, "error_message": None, "service_code": None}


class Store(Queries):
    """One open ledger, on one connection, used by one thread at a time."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open (or create) the ledger at *path* for writing."""
        return cls(open_for_writing(path))

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Open the ledger at *path* for reading; a run may be writing it meanwhile."""
        return cls(open_for_reading(path))

    @classmethod
    def in_memory(cls) -> Self:
        """Open an empty ledger in memory."""
        return cls(open_scratch(":memory:"))

    @classmethod
    def scratch(cls) -> Self:
        """Open an empty ledger of any size that leaves nothing behind."""
        return cls(open_scratch())

    @classmethod
    def copy_of(cls, path: Path) -> Self:
        """Open a scratch copy of the ledger at *path*, on which anything may be tried."""
        scratch = cls.scratch()
        with closing(cls.read_only(path)) as source:
            source.connection.backup(scratch.connection)
        ensure_schema(scratch.connection, None)
        return scratch

    def close(self) -> None:
        self.connection.close()

    def checkpoint(self) -> bool:
        """Copy the write-ahead log into the ledger's file; return whether that file now holds everything.

        Waits for nobody: a reader in an older state keeps the rest of the log for later.  The log itself
        stays until the ledger is closed.
        """
        busy, logged, copied = self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and bool(logged == copied)

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

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let the block read one state of the ledger, whatever a run writes meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def set_fact(self, key: str, value: str | None) -> None:
        if value is None:
            self.connection.execute("DELETE FROM facts WHERE key = ?", (key,))
        else:
            self.connection.execute("REPLACE INTO facts VALUES (?, ?)", (key, value))

    # ── a submission ──

    def intend(
        self, seq: int, now: float, *, cost_micros: int | None = None, cap_micros: int | None = None
    ) -> Entry:
        """Record the intent to submit.  After this commit, and only then, the POST may leave.

        The same commit sets aside what the attempt is taken to cost.  Raises OverCap, and changes nothing,
        when that would bring all attempts of the folder above *cap_micros*.
        """
        if cap_micros is not None:
            committed = self.committed_micros()
            if committed + (cost_micros or 0) > cap_micros:
                raise OverCap(committed)
        self._move(seq, State.PENDING, Event.SUBMIT, not_before=None, request_id=None, **_NO_ERROR)
        self.connection.execute("UPDATE jobs SET attempts = attempts + 1 WHERE seq = ?", (seq,))
        self.connection.execute(
            "INSERT INTO attempts (job, generation, number, intent_at, reserved_micros)"
            " SELECT seq, generation, attempts, ?, ? FROM jobs WHERE seq = ?",
            (now, cost_micros, seq),
        )
        return self.entry(seq)

    def set_aside(self, job: int, generation: int, number: int, cost_micros: int) -> None:
        """Say what an attempt is taken to cost of which nothing was known."""
        self.connection.execute(
            "UPDATE attempts SET reserved_micros = ? WHERE (job, generation, number) = (?, ?, ?)",
            (cost_micros, job, generation, number),
        )

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

    def done(
        self,
        seq: int,
        outputs: Sequence[Output],
        cost_usd: float | None,
        now: float,
        ran: tuple[float, float] | None = None,
    ) -> Entry:
        """Record the outputs; from here on their bytes are owed to the user.

        *ran* says between what and what the run time lay (seconds), as far as the looks show it.
        """
        self._move(seq, State.SUBMITTED, Event.DONE, completed_at=now, cost_usd=cost_usd, **_NO_ERROR)
        at_least_s, at_most_s = ran or (None, None)
        self._attempt(seq, completed_at=now, outcome=State.SUCCEEDED, cost_usd=cost_usd,
                      ran_at_least_s=at_least_s, ran_at_most_s=at_most_s)  # fmt: skip
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
        for candidate in self._names(seq, n, FOLDER_OF_KIND[kind], extension):
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
            "SELECT a.file, a.generation, a.job FROM generations g"
            " JOIN artifacts a ON a.job = g.job AND a.generation = g.generation"
            " WHERE a.saved_at IS NOT NULL AND a.file NOT LIKE 'superseded/%'"
        ).fetchall()
        names: dict[str, str] = {}
        keys: set[str] = set()
        for file, generation, seq in rows:
            name = _superseded_name(file, f"g{generation}")
            if collision_key(name) in keys or self._key_in_use(collision_key(name)):
                name = _superseded_name(file, f"g{generation}-{seq}")
            keys.add(collision_key(name))
            names[file] = name
        return list(names.items())

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

    def _names(self, seq: int, n: int, folder: str, extension: str) -> Iterator[str]:
        """Yield the names an output may get by the folder's layout, the wanted one first."""
        row = self.connection.execute("SELECT * FROM jobs WHERE seq = ?", (seq,)).fetchone()
        subject = Subject(id=row["id"], model=row["model"], index=row["position"], row=row["row"],
                          inputs=json.loads(row["inputs"]), meta=json.loads(row["meta"]))  # fmt: skip
        return candidates(Layout.parse(self.fact(LAYOUT)), subject, n, folder, extension, seq)

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
        if row["attempts"] or state in (State.SUCCEEDED, State.FAILED):
            self._supersede(seq, now if now is not None else row["completed_at"] or 0.0)
        if state is not State.CANCELLED:  # that one waits for the user's word, with its new inputs
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


def _error(error: JobError) -> dict[str, object]:
    return {"error_code": str(error.code), "error_message": error.message, "service_code": error.service_code}


def _superseded_name(file: str, mark: str) -> str:
    path = Path(file)
    return f"superseded/{path.parent}/{path.stem}.{mark}{path.suffix}"
