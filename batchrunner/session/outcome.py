"""How did it go?  The ledger's counts after a run -> the exit code, and what the person can do next.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from .._types import Json
from ..causes import FailureGroup
from ..errors import ErrorCode, Exit
from ..lifecycle import State
from ..money.amounts import as_usd
from ..plan import Plan


class Tally(Struct, frozen=True, kw_only=True):
    """The jobs that were asked for, counted after the run."""

    open: int = 0
    """Still to do: pending, submitting, submitted or ready."""
    bad: int = 0
    """Failed, cancelled or in doubt."""


class Report(Struct, frozen=True, kw_only=True):
    """What a run leaves behind, in numbers."""

    exit_code: Exit
    states: Mapping[State, int]
    """Jobs of the manifest by state, zeros too."""
    plan: Plan
    reason: str = ""
    """Why the run ended before everything was done; empty when it was not stopped."""
    hint: str | None = None
    running_there: int = 0
    """Requests that still run and bill at the service."""
    unstored: int = 0
    """Films that are saved and not in the store yet."""
    unstored_why: str = ""
    """What stood against the last of them."""
    cost_usd: float | None = None
    """What the service said all attempts of this folder cost."""
    reserved_micros: int = 0
    """What those attempts are taken to cost of which it has said nothing."""
    cap_micros: int | None = None
    """``--max-cost``."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Jobs that failed or are in doubt, by error code."""
    failures: Sequence[FailureGroup] = ()
    """Jobs that did not work out, by cause, most first."""
    seconds: float = 0.0
    simulated: bool = False
    """True for a rehearsal: nothing was generated, nothing billed."""
    results_written: bool = True
    report_written: bool = True

    def as_json(self) -> dict[str, Json]:
        return {
            "exit_code": int(self.exit_code),
            "states": {str(state): n for state, n in self.states.items()},
            "cost_usd": self.cost_usd,
            "reserved_usd": as_usd(self.reserved_micros),
            "max_cost_usd": None if self.cap_micros is None else as_usd(self.cap_micros),
            "running_there": self.running_there,
            "unstored": self.unstored,
            "errors": dict(self.errors),
            "reason": self.reason or None,
            "seconds": round(self.seconds, 3),
        }


def decide_exit(tally: Tally, stopped_with: Exit | None) -> Exit:
    """Return the exit code: the reason of a sudden end, else what is open, else what went badly."""
    if stopped_with is not None:
        return stopped_with
    if tally.open:
        return Exit.OPEN
    return Exit.SOME_FAILED if tally.bad else Exit.OK


def next_command(report: Report, *, again: str, resolve: str, results: str) -> str:
    """Return the command that a person would type next: one of those given, or *again* with a --retry.

    Never one that could pay for a doubt, or for what the content rules would only stop again.
    """
    states = report.states
    if report.exit_code not in (Exit.OK, Exit.SOME_FAILED) or states[State.PENDING]:
        return again
    if states[State.UNKNOWN]:
        return resolve
    if states[State.FAILED] > report.errors.get(ErrorCode.MODERATED, 0):
        return f"{again} --retry failed"
    return f"{again} --retry cancelled" if states[State.CANCELLED] else results
