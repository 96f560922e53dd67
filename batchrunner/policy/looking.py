"""When is the next look at a request, and what do the looks so far add up to?

Pure: the caller passes `now` (seconds on a clock that never goes back) and `uniform` (a draw from [0, 1)).
Waiting is no error, so looks at a job that runs are placed by spacing.py; only unanswered ones back off.
A bad verdict that costs a result ("not found", "no output") is believed only after repeated looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from .._types import JobError
from ..errors import ErrorCode
from ..news import CancelledThere, Done, Ended, FailedThere, Gone, News, Running, Stop, Trouble
from .backoff import POLL_ERROR


class Belief(Struct, frozen=True, kw_only=True):
    """How often, and over how long, a bad verdict must be seen before it is believed."""

    looks: int
    over_s: float
    what: str
    """The bad verdict in words."""

    @property
    def spacing_s(self) -> float:
        return self.over_s / (self.looks - 1)


GONE: Final = Belief(
    looks=5, over_s=120, what="unknown to the service"
)  # at least 5 looks over 2 to 5 minutes
NO_OUTPUT: Final = Belief(
    looks=5, over_s=60, what="finished without an output"
)  # at least 5 looks over about a minute
FAILED_STATUS: Final = Belief(
    looks=5, over_s=60, what="failed without a result that says so"
)  # /status says failed, /result will not say why

FAILED_UNEXPLAINED: Final = JobError(
    code=ErrorCode.GENERATION_FAILED, message="the service says failed and gives no reason"
)


class LookAgain(Struct, frozen=True, kw_only=True):
    """Wait this long, then look again; `at_result` asks ``/result`` itself."""

    after_s: float
    at_result: bool = False
    service_done: bool = False
    """True when the service is certainly not working on it any more: the in-flight slot is free."""


class TimedOut(Struct, frozen=True, kw_only=True):
    """This run waits no longer; the request id is kept and a rerun collects it."""

    error: JobError


TIMED_OUT: Final = TimedOut(error=JobError(code=ErrorCode.JOB_TIMEOUT, message="not finished in time"))

Verdict = Done | FailedThere | CancelledThere | Gone | Stop | TimedOut
Decision = LookAgain | Verdict


class Streak(Struct):
    """The same bad news, several times in a row."""

    belief: Belief
    count: int = 0
    since: float = 0.0

    def seen(self, now: float) -> bool:
        """Count one more; return True once it is to be believed."""
        if self.count == 0:
            self.since = now
        self.count += 1
        return self.count >= self.belief.looks and now - self.since >= self.belief.over_s

    def reset(self) -> None:
        self.count = 0


class Watch(Struct, kw_only=True):
    """One request being watched: what its looks have shown so far."""

    waiting_s: Callable[[Running, float], float]
    """Says how long to wait after a look that showed the job queued or running (see spacing.py)."""
    deadline: float
    """The instant after which this run waits no longer."""
    uniform: Callable[[], float]
    unanswered: int = 0
    says_failed: bool = False
    unconfirmed: str | None = None
    """The bad verdict that a look has shown, until it is believed or the job runs all the same."""
    asked_result: bool = False
    """Whether the news to come is ``/result``'s own, not ``/status``'."""
    gone: Streak = field(default_factory=lambda: Streak(GONE))
    empty: Streak = field(default_factory=lambda: Streak(NO_OUTPUT))
    failed: Streak = field(default_factory=lambda: Streak(FAILED_STATUS))

    def decide(self, news: News, now: float) -> Decision:
        """Return what follows from *news*: another look, or the verdict."""
        decision = self._decide(news, now)
        if isinstance(decision, LookAgain) and self.is_too_late(decision, now):
            return TIMED_OUT
        self.asked_result = isinstance(decision, LookAgain) and decision.at_result
        return decision

    def is_too_late(self, decision: LookAgain, at: float) -> bool:
        """Return whether the time for the job is over *at* an instant; what has ended is asked for anyway."""
        return not decision.at_result and at >= self.deadline

    def _decide(self, news: News, now: float) -> Decision:
        if not isinstance(news, Trouble):
            self.unanswered = 0
        if not isinstance(news, Gone):
            self.gone.reset()
        match news:
            case Running():
                return self._after_running(news, now)
            case Ended(failed=failed):
                self.says_failed = failed
                return LookAgain(after_s=0, at_result=True, service_done=True)
            case Done(outputs=()):
                believed = self.empty.seen(now)
                return news if believed else self._doubting(NO_OUTPUT)
            case Gone():
                return news if self.gone.seen(now) else self._doubting(GONE)
            case Trouble():
                self.unanswered += 1
                return LookAgain(
                    after_s=self._capped(POLL_ERROR.delay_s(self.unanswered, self.uniform()), now)
                )
            case _:
                return news

    def _after_running(self, news: Running, now: float) -> Decision:
        if not self.asked_result:  # /status itself says that it runs (again)
            self.says_failed = False
            self.failed.reset()
        if self.says_failed:  # /status ended in failure, /result does not say so (yet)
            return (
                FailedThere(error=FAILED_UNEXPLAINED)
                if self.failed.seen(now)
                else self._doubting(FAILED_STATUS)
            )
        self.unconfirmed = None
        return LookAgain(after_s=self._capped(self.waiting_s(news, now), now))

    def _doubting(self, belief: Belief) -> LookAgain:
        self.unconfirmed = belief.what
        wait_s = belief.spacing_s * (1 + 0.1 * self.uniform())
        return LookAgain(after_s=wait_s, service_done=True)

    def _capped(self, delay_s: float, now: float) -> float:
        """Let the last look fall on the deadline rather than beyond it."""
        return max(0.0, min(delay_s, self.deadline - now))
