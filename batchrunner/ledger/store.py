"""The ledger: what is durably known of every job, and the only way to change it.

Each method is one step of a job's life and runs inside a transaction its caller opens (see writer.py); how a
row is changed at all is in moves.py.  Instants are Unix seconds and passed in; nothing here knows the
service, the clock or the event loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from .._types import JobError, Output, RequestId
from ..errors import ErrorCode
from ..lifecycle import Event, State
from .connections import open_alone, open_for_reading, open_for_writing, open_scratch
from .files import Files
from .moves import NO_ERROR, error_columns
from .queries import Entry
from .schema import VERSION, ensure_schema, schema_version


class AlreadyOwned(Exception):
    """A request id that belongs to another job; its id is the message."""


class OverCap(Exception):
    """One more attempt would cost more than the folder may."""

    def __init__(self, committed_micros: int) -> None:
        super().__init__(f"{committed_micros} micro-dollars are spent or set aside")
        self.committed_micros = committed_micros


def _nobody_else() -> None:
    """The folder's lock is proof enough."""


class Store(Files):
    """One open ledger, on one connection, used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.fence: Callable[[], None] = _nobody_else
        """Raises where nothing more may be submitted, because somebody else may own the folder soon."""
        self.wall: Callable[[], None] = _nobody_else
        """Raises where nothing more may be written, because somebody else may own the folder by now."""
        self.begin_log: Callable[[], None] = _nobody_else
        """To be called before anything is submitted; a new ledger may have its log from then on only."""

    @classmethod
    def open(cls, path: Path, *, log_at_once: bool = True) -> Self:
        """Open (or create) the ledger at *path* for writing; *log_at_once* as in `open_for_writing`."""
        return cls(open_for_writing(path, log_at_once=log_at_once))

    @classmethod
    def in_the_making(cls, path: Path, *, durable: bool) -> Self:
        """Open (or create) a ledger at *path* that nobody else reads yet; see `open_alone`."""
        return cls(open_alone(path, durable=durable))

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Open the ledger at *path* for reading; a run may be writing it meanwhile.

        Of an older one a scratch copy is opened, in today's form: the next run migrates the ledger itself.
        """
        connection = open_for_reading(path)
        return cls(connection) if schema_version(connection) >= VERSION else cls._copied(connection)

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
        return cls._copied(open_for_reading(path))

    @classmethod
    def _copied(cls, source: sqlite3.Connection) -> Self:
        scratch = cls.scratch()
        with closing(source):
            source.backup(scratch.connection)
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

        The same commit sets aside what the attempt is taken to cost.  Raises, with
        nothing changed, what `fence` does, and OverCap when all attempts of the folder would cost more than
        *cap_micros*.
        """
        self.fence()
        if cap_micros is not None:
            committed = self.committed_micros()
            if committed + (cost_micros or 0) > cap_micros:
                raise OverCap(committed)
        return self._begin_attempt(seq, now, cost_micros)

    def set_aside(self, job: int, generation: int, number: int, cost_micros: int) -> None:
        """Say what an attempt is taken to cost of which nothing was known."""
        self.connection.execute(
            "UPDATE attempts SET reserved_micros = ? WHERE (job, generation, number) = (?, ?, ?)",
            (cost_micros, job, generation, number),
        )

    def accepted(self, seq: int, request_id: RequestId, now: float) -> Entry:
        """Record the request id.  An id that another attempt owns is no acceptance we can rely on."""
        if self.owner_of(request_id) is not None:
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
        self._move(seq, State.SUBMITTING, Event.REFUSED, completed_at=now, **error_columns(error))
        return self._settled(seq)

    def in_doubt(self, seq: int, error: JobError) -> Entry:
        self._move(seq, State.SUBMITTING, Event.IN_DOUBT, **error_columns(error))
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
        self._move(seq, State.SUBMITTED, Event.DONE, completed_at=now, cost_usd=cost_usd, **NO_ERROR)
        at_least_s, at_most_s = ran or (None, None)
        self._attempt(seq, completed_at=now, outcome=State.SUCCEEDED, cost_usd=cost_usd,
                      ran_at_least_s=at_least_s, ran_at_most_s=at_most_s)  # fmt: skip
        entry = self.entry(seq)
        self._set_outputs(entry, outputs)
        return entry

    def failed_there(
        self, seq: int, error: JobError, cost_usd: float | None, now: float, not_before: float
    ) -> Entry:
        """Record a failed generation that will be tried again not before an instant."""
        self._move(
            seq,
            State.SUBMITTED,
            Event.FAILED_THERE,
            completed_at=now,
            not_before=not_before,
            **error_columns(error),
        )
        self._close_attempt(seq, State.FAILED, error, cost_usd, now)
        return self._settled(seq)

    def gave_up(self, seq: int, error: JobError, cost_usd: float | None, now: float) -> Entry:
        """Record a final failure of a request: failed for the last time, lost, or without output."""
        self._move(
            seq,
            self.entry(seq).state,
            Event.GAVE_UP,
            completed_at=now,
            cost_usd=cost_usd,
            **error_columns(error),
        )
        self._close_attempt(seq, State.FAILED, error, cost_usd, now)
        return self._settled(seq)

    def no_output(self, seq: int, error: JobError, cost_usd: float | None, now: float) -> Entry:
        """Record a request that ended well and, after repeated looks, without any output."""
        self.done(seq, (), cost_usd, now)
        return self.gave_up(seq, error, cost_usd, now)

    def cancelled_there(self, seq: int, error: JobError, now: float) -> Entry:
        self._move(seq, State.SUBMITTED, Event.CANCELLED_THERE, completed_at=now, **error_columns(error))
        self._close_attempt(seq, State.CANCELLED, error, None, now)
        return self._settled(seq)

    def note(self, seq: int, error: JobError) -> Entry:
        """Keep *error* with a job that stays in its state."""
        self._set(seq, **error_columns(error))
        return self.entry(seq)

    # ── the user's word ──

    def rerun(self, entry: Entry, now: float) -> Entry:
        """Run a final job again, because the user asked for it, with fresh attempts; an old film is kept."""
        if entry.state is State.SUCCEEDED:
            self._supersede(entry.seq, now)
        self._move(entry.seq, entry.state, Event.RERUN, not_before=None, **NO_ERROR)
        self.connection.execute("UPDATE jobs SET attempts_from = attempts WHERE seq = ?", (entry.seq,))
        return self._settled(entry.seq)

    def resubmit(self, seq: int, *, fresh: bool) -> Entry:
        """Let a job in doubt be submitted again: the user's word; with *fresh*, its attempts begin anew."""
        self._move(seq, State.UNKNOWN, Event.RESUBMIT, not_before=None, **NO_ERROR)
        if fresh:
            self.connection.execute("UPDATE jobs SET attempts_from = attempts WHERE seq = ?", (seq,))
        return self._settled(seq)

    def cancel(self, seq: int, now: float) -> Entry:
        """Cancel a job of which nothing was sent."""
        self._move(seq, State.PENDING, Event.CANCEL, completed_at=now, not_before=None, **NO_ERROR)
        return self._settled(seq)

    def attach(self, seq: int, request_id: RequestId, now: float) -> Entry:
        """Give a job in doubt the request id the user found.  Raises AlreadyOwned for another job's id."""
        owner = self.owner_of(request_id)
        if owner is not None:
            raise AlreadyOwned(owner)
        self._move(seq, State.UNKNOWN, Event.ATTACH, request_id=request_id, submitted_at=now, **NO_ERROR)
        self._attempt(
            seq, request_id=request_id, submitted_at=now, outcome=None, error_code=None, error_message=None
        )
        return self.entry(seq)

    def give_up(self, seq: int, now: float) -> Entry:
        """Leave a job in doubt for good, because the user says so."""
        error = JobError(code=ErrorCode.GIVEN_UP, message="given up by the user while in doubt")
        self._move(seq, State.UNKNOWN, Event.GIVE_UP, completed_at=now, **error_columns(error))
        return self._settled(seq)

    def take_back(self, seq: int, error: JobError, now: float) -> Entry:
        """Put a request whose cancellation is confirmed back to pending, so that a later run submits it."""
        self.cancelled_there(seq, error, now)
        self._move(seq, State.CANCELLED, Event.RERUN, **NO_ERROR)
        return self._settled(seq)

    def edit(self, seq: int, now: float) -> Entry:
        """Let the edit in ``next`` wait or take effect, as the job's state allows."""
        return self._settled(seq, now)
