"""How a run ends early: draining (nothing new, what is in flight is finished) or at once.

Whoever asks first gives the reason; asking for more only makes it stricter.  A submission that is on the
wire is never cut off by the run's own cancellation: it is given time, and what is then still unanswered is
recorded as a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

import anyio

from .errors import BatchrunnerError, Exit
from .waiting import Changed

WIRE_GRACE_S: Final = 5.0
"""How long a submission on the wire may still take after a second Ctrl-C, SIGTERM or SIGHUP."""


class Phase(IntEnum):
    """How far the end has come."""

    RUNNING = 0
    DRAINING = 1
    NOW = 2


class Stopping:
    """The run's one switch."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._wire: set[anyio.CancelScope] = set()
        self.phase = Phase.RUNNING
        self.reason = ""
        self.exit_code: Exit | None = None
        self.error: BatchrunnerError | None = None
        self.interrupted = False
        """True when a signal asked for the end."""
        self.now_scope = anyio.CancelScope()
        """Everything that may be cut off at once runs inside it."""

    @property
    def requested(self) -> bool:
        return self.phase is not Phase.RUNNING

    def drain(self, reason: str, error: BatchrunnerError | None = None) -> None:
        """Submit nothing new and finish what is in flight; with *error*, end with its exit code."""
        if self.phase is Phase.RUNNING:
            self.phase = Phase.DRAINING
            self.reason = reason
            self.error = error
            self.exit_code = error.exit_code if error else None
            self._changed.report()

    def now(self, reason: str, exit_code: Exit, *, wire_grace_s: float = WIRE_GRACE_S) -> None:
        """Cut everything off but the submissions on the wire, which get *wire_grace_s* more."""
        if self.phase is not Phase.NOW:
            self.phase = Phase.NOW
            self.reason = reason
            self.exit_code = exit_code
            self.now_scope.cancel()
            self._changed.report()
        deadline = anyio.current_time() + wire_grace_s
        for scope in self._wire:
            scope.deadline = min(scope.deadline, deadline)

    def fail(self, error: BatchrunnerError) -> None:
        """Stop at once because of *error*; submissions on the wire are awaited."""
        if self.phase is not Phase.NOW:
            self.error = error
        self.now(error.message, error.exit_code, wire_grace_s=math.inf)

    @contextmanager
    def on_the_wire(self) -> Iterator[anyio.CancelScope]:
        """Shield a submission from the end of the run; cut off only when its time of grace is over."""
        with anyio.CancelScope(shield=True) as scope:
            self._wire.add(scope)
            try:
                yield scope
            finally:
                self._wire.discard(scope)
