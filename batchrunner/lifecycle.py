"""Which states a job has, and which event leads from one to the next.

The whole machine is the table TRANSITIONS; ``next_state`` is the only way through it.  Pure: no clock,
no disk, no service.  The words are written to the ledger, so they stay.  An instant before which a
pending job waits is a column of the ledger, not a state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """What is true of a job outside this program."""

    PENDING = "pending"  # nothing was sent (it may wait until an instant)
    SUBMITTING = "submitting"  # the intent is on disk, the answer is not known
    SUBMITTED = "submitted"  # the service holds a request id, and so do we
    READY = "ready"  # outputs are known, their bytes are not on disk
    SUCCEEDED = "succeeded"  # files are on disk, checked
    FAILED = "failed"  # final; the error code says why
    CANCELLED = "cancelled"  # final; somebody wanted it so
    UNKNOWN = "unknown"  # may have been accepted and paid; only the user's word moves it


class Event(StrEnum):
    """What happened to a job."""

    SUBMIT = "submit"  # we are about to send it
    ACCEPTED = "accepted"  # the service gave a request id
    NOT_ACCEPTED = "not_accepted"  # certainly not taken: no connection, throttled, account refused
    REFUSED = "refused"  # this row's inputs are not acceptable
    IN_DOUBT = "in_doubt"  # the answer was lost; also a crash between intent and answer
    DONE = "done"  # the service finished and named outputs
    FAILED_THERE = "failed_there"  # the generation failed, attempts are left
    GAVE_UP = "gave_up"  # failed there for the last time, lost there, or done without output
    CANCELLED_THERE = "cancelled_there"  # the service says it was cancelled
    SAVED = "saved"  # every output is on disk and checked
    FILE_MISSING = "file_missing"  # a file we saved is gone; the result can be read again
    CANCEL = "cancel"  # the user cancelled what was never sent
    RERUN = "rerun"  # the user asked for it again (--retry, --redo)
    EDITED = "edited"  # the row has other inputs now: a new generation of the job
    RESUBMIT = "resubmit"  # the user's word on a doubt: it was not accepted
    ATTACH = "attach"  # the user's word on a doubt: this is its request id
    GIVE_UP = "give_up"  # the user's word on a doubt: leave it


S, E = State, Event

TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    S.PENDING: {
        E.SUBMIT: S.SUBMITTING,
        E.CANCEL: S.CANCELLED,
        E.EDITED: S.PENDING,  # nothing was sent yet: just replaced
    },
    S.SUBMITTING: {
        E.ACCEPTED: S.SUBMITTED,
        E.NOT_ACCEPTED: S.PENDING,
        E.REFUSED: S.FAILED,
        E.IN_DOUBT: S.UNKNOWN,
    },
    S.SUBMITTED: {
        E.DONE: S.READY,
        E.FAILED_THERE: S.PENDING,
        E.GAVE_UP: S.FAILED,
        E.CANCELLED_THERE: S.CANCELLED,
    },
    S.READY: {
        E.SAVED: S.SUCCEEDED,
        E.GAVE_UP: S.FAILED,
    },
    S.SUCCEEDED: {
        E.FILE_MISSING: S.READY,  # fetched again, never generated again
        E.RERUN: S.PENDING,
        E.EDITED: S.PENDING,
    },
    S.FAILED: {
        E.RERUN: S.PENDING,
        E.EDITED: S.PENDING,
    },
    S.CANCELLED: {
        E.RERUN: S.PENDING,
    },
    S.UNKNOWN: {
        E.RESUBMIT: S.PENDING,
        E.ATTACH: S.SUBMITTED,
        E.GIVE_UP: S.FAILED,
    },
}

FINAL: Final = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED})
"""Nothing more happens by itself."""

OPEN: Final = frozenset(State) - FINAL - {S.UNKNOWN}
"""A run still has something to do."""

HOLDS_REQUEST: Final = frozenset({S.SUBMITTED, S.READY})
"""The service holds a result that was paid for: collected before anything else."""


class IllegalTransition(Exception):
    """An event met a state whose row does not have it: our bug, never the user's."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a job that is {state} cannot meet the event {event!r}")
        self.state = state
        self.event = event


def next_state(state: State, event: Event) -> State:
    """Return the state that follows.  Raises IllegalTransition for a pair outside the table."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(state, event) from None
