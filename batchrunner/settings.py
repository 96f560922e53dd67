"""What one run was told: the flags of ``run``, as values, with their defaults.

Durations are seconds, instants Unix seconds.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct, field

from .errors import ErrorCode, Usage
from .files.naming import BadPattern, check_pattern

RETRY_STATES: Final = ("failed", "unknown", "cancelled")


class OnUnknown(StrEnum):
    """What a run does about submissions in doubt."""

    HOLD = "hold"  # the user decides
    RESUBMIT = "resubmit"  # the user has decided: send again, at the risk of paying twice


class PollSpacing(StrEnum):
    """How looks at a job that runs are placed."""

    LEARNED = "learned"  # by what is known of run times
    FIXED = "fixed"  # evenly


class OnInterrupt(StrEnum):
    """What a stopped run does about requests that wait in the service's queue."""

    LEAVE = "leave"  # they run and are billed; the next run collects them
    CANCEL_QUEUED = "cancel-queued"  # what is confirmed cancelled is pending again


class Selection(Struct, frozen=True, kw_only=True):
    """Which jobs may be submitted; what is already paid is collected whatever is selected."""

    only: tuple[str, ...] = ()
    """Id patterns (``*``, ``?``, ``[...]``); none: all."""
    sample: int | None = None
    """This many jobs, always the same ones: those whose ids have the smallest hashes."""

    def matches(self, job_id: str) -> bool:
        """Return whether `only` lets *job_id* through (the sample is drawn from what it lets through)."""
        return not self.only or any(fnmatchcase(job_id, pattern) for pattern in self.only)


class Rerun(Struct, frozen=True, kw_only=True):
    """What the user explicitly asks to run again, with fresh attempts."""

    retry: frozenset[str] = frozenset()
    """``failed``, ``unknown``, ``cancelled``, or error codes."""
    redo: tuple[str, ...] = ()
    """Id patterns of finished jobs, succeeded ones too."""

    def __post_init__(self) -> None:
        for word in self.retry:
            if word not in RETRY_STATES and word not in set(ErrorCode):
                known = ", ".join([*RETRY_STATES, *ErrorCode])
                raise Usage(f"--retry does not know {word!r}", hint=f"one of {known}")

    def __bool__(self) -> bool:
        return bool(self.retry or self.redo)


class Settings(Struct, frozen=True, kw_only=True):
    """How one run behaves."""

    concurrency: int = 8
    """Jobs at once between submission and the end of their run at the service."""
    downloads: int = 4
    """Jobs at once whose files are being fetched."""
    poll_interval_s: float = 2.0
    """The shortest wait between two looks at a job."""
    poll_spacing: PollSpacing = PollSpacing.LEARNED
    poll_rate: float | None = None
    """Looks per second for all jobs together; None: as many as fall due."""
    max_attempts: int = 3
    """Paid tries of a job whose generation fails."""
    job_timeout_s: float = 3600.0
    """How long this run waits for one submitted job."""
    max_outage_s: float = 1800.0
    """How long the service may be away, or take nothing, before the run ends."""
    limit: int | None = None
    """New submissions in this run."""
    until: float | None = None
    """The instant at which no more is submitted."""
    on_unknown: OnUnknown = OnUnknown.HOLD
    on_interrupt: OnInterrupt = OnInterrupt.LEAVE
    halt_on_failures: str = "20"
    """``20``: the first 20 all failed; ``20%``: a share of all; ``off``: see policy/breaker.py."""
    submit_only: bool = False
    collect_only: bool = False
    max_cost_micros: int | None = None
    """What all attempts of the folder may cost together, in micro-dollars (``--max-cost``)."""
    price_micros: int | None = None
    """What a job costs where the catalogue gives no price, in micro-dollars (``--price``)."""
    max_file_bytes: int = 2 << 30
    name: str | None = None
    """How the folder's files are called, such as ``{model}/{seed}-{id}``; None: as they are, or ``{id}``."""
    selection: Selection = field(default_factory=Selection)

    def __post_init__(self) -> None:
        _at_least_one(concurrency=self.concurrency, downloads=self.downloads, max_attempts=self.max_attempts)
        if self.name is not None:
            _check_name(self.name)
        if self.poll_interval_s <= 0:
            raise Usage("--poll-interval must be more than 0", hint="such as --poll-interval 2s")
        if self.submit_only and self.collect_only:
            raise Usage("--submit-only and --collect-only exclude each other", hint="leave one of them out")


def _check_name(pattern: str) -> None:
    try:
        check_pattern(pattern)
    except BadPattern as error:
        raise Usage(f"--name {pattern}: {error}", hint="such as {model}/{seed}-{id}") from None


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            flag = f"--{name.replace('_', '-')}"
            raise Usage(f"{flag} must be at least 1, not {number}", hint=f"such as {flag} 1")
