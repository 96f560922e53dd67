"""May a submission go out now?  The run's shared pause, its in-flight limit and its outage clock.

Throttling and outages are weather: they belong to the run, not to a job.  After any bad answer to a
submission the run is *careful*: it pauses, then lets one submission go first, the canary, and the rest
only after an acceptance.  After a *doubt* (a submission that may have been accepted) a free read must be
answered before even that.  Pure: `now` is seconds on a clock that never goes back, `uniform` a draw from
[0, 1).  Reasons: docs/decisions/0003-weather.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from .backoff import PAUSE

DOUBTS_TO_OUTAGE: Final = 3
"""So many doubts in a row, without an acceptance, are an outage."""


class Go(Struct, frozen=True):
    """Submit now; a canary reports its return with `Weather.canary_back`."""

    canary: bool = False


class Wait(Struct, frozen=True):
    """Ask again at `until`, or earlier when something was reported."""

    until: float


class Probe(Struct, frozen=True):
    """Make one free read first and report whether it was answered."""


Leave = Go | Wait | Probe


class Weather(Struct, kw_only=True):
    """What the run has seen of the service lately."""

    concurrency: int
    """The in-flight limit in fair weather."""
    max_outage_s: float
    uniform: Callable[[], float]

    limit: float = 0.0
    """Of jobs in flight, as of now: from `concurrency` down."""
    paused_until: float = 0.0
    reads_paused_until: float = 0.0
    careful: bool = False
    canary_out: bool = False
    probe_due: bool = False
    probe_out: bool = False
    turned_away: int = 0  # bursts of bad answers in a row
    doubts: int = 0  # doubts in a row, without an acceptance
    acceptances: int = 0
    finished: int = 0  # our requests that ended
    refused_since: float | None = None  # submissions are not taken since
    doubted_since: float | None = None  # submissions are in doubt since
    silent_since: float | None = None  # no read is answered well since
    reason: str = ""

    def __post_init__(self) -> None:
        self.limit = float(self.concurrency)

    # ── questions ──

    @property
    def in_flight_limit(self) -> int:
        return max(1, int(self.limit))

    @property
    def is_outage(self) -> bool:
        """Whether so many answers in a row were lost that it is no coincidence any more."""
        return self.doubts >= DOUBTS_TO_OUTAGE

    def may_submit(self, now: float) -> Leave:
        """Return whether a submission may go out; a `Go` while careful makes it the canary."""
        if now < self.paused_until:
            return Wait(self.paused_until)
        if self.probe_due:
            if self.probe_out:
                return Wait(now + PAUSE.cap_s)
            self.probe_out = True
            return Probe()
        if self.careful:
            if self.canary_out:
                return Wait(now + PAUSE.cap_s)
            self.canary_out = True
            return Go(canary=True)
        return Go()

    def still_may(self, leave: Go, now: float) -> bool:
        """Return whether a leave given a moment ago still holds."""
        return now >= self.paused_until and not self.probe_due and (leave.canary or not self.careful)

    def read_wait_s(self, now: float) -> float:
        """Return how many seconds a read should wait: only throttling pauses reads as well."""
        return max(0.0, self.reads_paused_until - now)

    def gives_up_at(self, *, submitting: bool) -> float | None:
        """Return the instant at which the outage has lasted too long; None in fair weather.

        Submissions that are not taken only count while somebody is *submitting*.
        """
        starts = [self.silent_since, *((self.refused_since, self.doubted_since) if submitting else ())]
        return min((s + self.max_outage_s for s in starts if s is not None), default=None)

    # ── reports ──

    def accepted(self, now: float) -> None:
        """A submission was accepted; unless a pause is on, the weather is fair again.

        The limit grows back by one for each round of acceptances.
        """
        self.silent_since = None
        self.acceptances += 1
        self.doubts = 0
        self.refused_since = self.doubted_since = None
        if now >= self.paused_until and not self.probe_due:
            self.turned_away = 0
            self.careful = False
            self.limit = min(float(self.concurrency), self.limit + 1 / max(1.0, self.limit))

    def canary_back(self) -> None:
        """The canary's submission ended, however it ended."""
        self.canary_out = False

    def throttled(self, now: float, retry_after_s: float | None, *, in_flight: int, reason: str) -> None:
        """A submission (or read) was turned away: 429, or a 503 that says so."""
        if now >= self.paused_until:  # one cut a burst
            self.limit = max(1.0, min(self.limit, float(in_flight)) / 2)
        self._turned_away(now, retry_after_s, reason)
        self.reads_paused_until = self.paused_until

    def unreachable(self, now: float, reason: str) -> None:
        """A submission found no connection."""
        self._turned_away(now, None, reason)
        self.read_failed(now)

    def doubted(self, now: float, reason: str) -> None:
        """A submission's answer was lost: hold, look for a sign of life, then send a canary."""
        self.doubts += 1
        self.probe_due = True
        if self.doubted_since is None:
            self.doubted_since = now
        self._turned_away(now, None if self.is_outage else 0.0, reason)

    def probed(self, now: float, *, answered: bool, reason: str = "") -> None:
        """The free read after a doubt came back."""
        self.probe_out = False
        if answered:
            self.probe_due = False
            self.read_answered()
        else:
            self.read_failed(now)
            self.turned_away += 1
            self._pause(now, None, reason)

    def read_answered(self) -> None:
        """A read was answered by the service."""
        self.silent_since = None

    def read_failed(self, now: float) -> None:
        """A read was not answered, or only by a server error or a request for patience."""
        if self.silent_since is None:
            self.silent_since = now

    def finished_one(self, now: float) -> None:
        """A request of ours ended: while ours still run, being throttled is no outage."""
        self.finished += 1
        if self.refused_since is not None and not self.is_outage:
            self.refused_since = now

    # ── the user's hand ──

    def set_concurrency(self, concurrency: int) -> None:
        """Change the fair-weather limit; one that bad weather lowered grows back to it by itself."""
        is_fair = self.limit >= self.concurrency
        self.concurrency = concurrency
        self.limit = float(concurrency) if is_fair else min(self.limit, float(concurrency))

    def was_held(self, seconds: float) -> None:
        """Nobody submitted for so long because the user held it back: that was no outage."""
        if self.refused_since is not None:
            self.refused_since += seconds
        if self.doubted_since is not None:
            self.doubted_since += seconds

    # ── inside ──

    def _turned_away(self, now: float, retry_after_s: float | None, reason: str) -> None:
        if now >= self.paused_until:  # a burst counts once
            self.turned_away += 1
        self.careful = True
        if self.refused_since is None:
            self.refused_since = now
        self._pause(now, retry_after_s, reason)

    def _pause(self, now: float, retry_after_s: float | None, reason: str) -> None:
        """Pause everybody: what the service asked for plus a little spread, or our own backoff."""
        if retry_after_s is None:
            delay_s = PAUSE.delay_s(max(1, self.turned_away), self.uniform())
        else:
            delay_s = retry_after_s * (1 + 0.1 * self.uniform())
        self.paused_until = max(self.paused_until, now + delay_s)
        self.reason = reason
