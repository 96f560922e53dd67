"""How a job's row is changed at all: from the state it was read in, and by the table of lifecycle.py alone.

Every change of a state goes through ``_move``: next_state decides, and the row moves only from the state it
was read in, so a stale writer changes nothing.  Steps of a job's life are put together from these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Final

from .._types import JobError, RequestId
from ..lifecycle import Event, State, next_state
from .queries import Entry, Queries


class StaleWrite(Exception):
    """The job is not in the state the writer read it in; nothing was changed."""


NO_ERROR: Final[Mapping[str, None]] = {"error_code": None, "error_message": None, "service_code": None}

_EDITABLE: Final = frozenset({State.PENDING, State.SUCCEEDED, State.FAILED, State.CANCELLED})
"""States in which an edited row's old inputs owe nobody anything any more."""

_BEGIN_ATTEMPT: Final = f"""UPDATE jobs SET state = ?, attempts = attempts + 1, not_before = NULL,
    request_id = NULL, {", ".join(f"{name} = NULL" for name in NO_ERROR)} WHERE seq = ? AND state = ?"""

_NEW_ATTEMPT: Final = """INSERT INTO attempts (job, generation, number, intent_at, reserved_micros)
    VALUES (?, ?, (SELECT attempts FROM jobs WHERE seq = ?), ?, ?)"""


class Moves(Queries):
    """What every step is made of."""

    def _move(self, seq: int, state: State, event: Event, **columns: object) -> None:
        self._set(seq, state, state=next_state(state, event), **columns)

    def _set(self, seq: int, expected: State | None = None, /, **columns: object) -> None:
        if expected is None:
            done = self.connection.execute(_set_text((*columns,)), (*columns.values(), seq))
        else:
            done = self.connection.execute(_move_text((*columns,)), (*columns.values(), seq, expected))
        if done.rowcount != 1:
            raise StaleWrite(f"job number {seq} is not {expected}")

    def _begin_attempt(self, seq: int, now: float, cost_micros: int | None) -> Entry:
        """Move a pending job to submitting and count the attempt, with what is set aside for it."""
        then = next_state(State.PENDING, Event.SUBMIT)
        done = self.connection.execute(_BEGIN_ATTEMPT, (then, seq, State.PENDING))
        if done.rowcount != 1:
            raise StaleWrite(f"job number {seq} is not {State.PENDING}")
        entry = self.entry(seq)
        self.connection.execute(_NEW_ATTEMPT, (seq, entry.generation, seq, now, cost_micros))
        return entry

    def _attempt(self, seq: int, **columns: object) -> None:
        self.connection.execute(_attempt_text((*columns,)), (*columns.values(), seq))

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

    def owner_of(self, request_id: RequestId) -> str | None:
        """Return the id of the job whose request it is."""
        row = self.connection.execute(
            "SELECT jobs.id FROM attempts JOIN jobs ON jobs.seq = attempts.job WHERE attempts.request_id = ?",
            (request_id,),
        ).fetchone()
        return row[0] if row else None

    def _settled(self, seq: int, now: float | None = None) -> Entry:
        """Return the job as it is now, after an edit that waited for this moment took effect."""
        row = self.connection.execute(
            "SELECT state, next, attempts, completed_at FROM jobs WHERE seq = ?", (seq,)
        ).fetchone()
        state = State(row["state"])
        if row["next"] is None or state not in _EDITABLE:
            return self.entry(seq)
        if row["attempts"] or state in (State.SUCCEEDED, State.FAILED):
            self._supersede(seq, now if now is not None else row["completed_at"] or 0.0)
        if state is not State.CANCELLED:  # that one waits for the user's word, with its new inputs
            self._move(seq, state, Event.EDITED, not_before=None, **NO_ERROR)
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


@cache
def _set_text(columns: tuple[str, ...]) -> str:
    return f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in columns)} WHERE seq = ?"


@cache
def _move_text(columns: tuple[str, ...]) -> str:
    return f"{_set_text(columns)} AND state = ?"


@cache
def _attempt_text(columns: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = ?" for name in columns)
    return (
        f"UPDATE attempts SET {sets} WHERE (job, generation, number) ="
        " (SELECT seq, generation, attempts FROM jobs WHERE seq = ?)"
    )


def error_columns(error: JobError) -> dict[str, object]:
    """Return what a row keeps of *error*."""
    return {"error_code": str(error.code), "error_message": error.message, "service_code": error.service_code}
