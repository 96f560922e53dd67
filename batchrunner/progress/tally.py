"""How far is the run?  Counted from its events alone, so a display can say nothing the run did not do.

Pure: instants are Unix seconds, and the caller passes `now`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from .._types import Json
from ..events import RunEvent

ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "unknown", "job_timeout", "download_failed"})
"""Events after which nothing more happens to a job in this run."""

AWAY: Final = ENDS | {"ready", "retrying", "taken_back"}
"""Events after which a job no longer runs at the service."""

FAILURES: Final = frozenset({"failed", "unknown", "job_timeout", "download_failed", "internal_error"})
"""Events that say of one job why it is not done."""

RATE_JOBS: Final = 200
"""The pace is that of the last so many jobs."""

RATE_S: Final = 900.0
"""... and of the last quarter of an hour."""


class Failure(Struct, frozen=True, kw_only=True):
    """What went wrong with one job, as a person looks for it."""

    id: str
    row: int | None
    code: str
    message: str


class Tally(Struct):
    """The run in numbers."""

    to_do: int = 0
    done_before: int = 0
    """Jobs of the manifest that had succeeded before this run."""
    folder: str = ""
    simulated: bool = False
    began_at: float | None = None
    running: set[str] = field(default_factory=set)
    unconfirmed: dict[str, str] = field(default_factory=dict)
    """Jobs that the service gave up, as far as one look shows, and its word: more looks are to confirm it."""
    saving: set[str] = field(default_factory=set)
    ended: dict[str, int] = field(default_factory=dict)
    failures: deque[Failure] = field(default_factory=lambda: deque(maxlen=20))
    """The latest last."""

    spent_usd: float | None = None
    """Of the folder, so far; None while the service never named a price."""
    planned_usd: float | None = None
    """What the plan said the submissions cost; None without prices."""
    priced: int = 0
    """Jobs of this run whose cost is known, and what they cost:"""
    priced_usd: float = 0.0

    limit: int | None = None
    """Jobs at once at the service, as of now."""
    concurrency: int | None = None
    """The same in fair weather."""
    sky: str = "fair"
    reason: str = ""
    next_try_at: float | None = None
    since: float | None = None
    gives_up_at: float | None = None
    pause: tuple[str, float] | None = None
    """Why, and until when, the run last paused."""
    draining: str | None = None
    """Why nothing new is submitted any more."""
    done_at: float | None = None
    """When everything will have run, as forecast."""
    _end_instants: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_JOBS))

    def __call__(self, event: RunEvent) -> None:
        """Count *event*."""
        match event.name:
            case "started":
                self._started(event)
            case "weather":
                self._weather(event)
            case "forecast":
                self.done_at = event.at + _float(event.data, "left_s")
            case "paused":
                self.pause = (_text(event.data, "reason"), event.at + _float(event.data, "seconds"))
            case "draining":
                self.draining = _text(event.data, "reason") or "stopped"
            case "submitted" | "collecting" | "confirmed_running":
                self.running.add(event.id or "")
        if event.id is not None:
            self._job(event.id, event)

    def _started(self, event: RunEvent) -> None:
        plan = event.data["plan"]
        assert isinstance(plan, dict)
        reasons = plan.get("reasons")
        self.to_do = sum(_int(plan, key) for key in ("submit", "collect", "gone_to_collect"))
        self.done_before = _int(reasons, "done") if isinstance(reasons, dict) else 0
        self.folder = _text(event.data, "folder")
        self.simulated = bool(event.data.get("simulated"))
        self.spent_usd, self.planned_usd = _price(event.data, "spent_usd"), _price(plan, "cost_usd")
        self.began_at = event.at

    def _weather(self, event: RunEvent) -> None:
        data = event.data
        self.limit, self.concurrency = _int(data, "limit"), _int(data, "concurrency")
        self.sky, self.reason = _text(data, "sky"), _text(data, "reason")
        self.next_try_at = _instant(event, "next_try_s")
        self.gives_up_at = _instant(event, "gives_up_s")
        lasted_s = data.get("lasted_s")
        self.since = event.at - lasted_s if isinstance(lasted_s, float | int) else None

    def _job(self, job: str, event: RunEvent) -> None:
        name = event.name
        if name in AWAY or name in ("unconfirmed", "confirmed_running"):
            self.unconfirmed.pop(job, None)
        if name == "unconfirmed":
            self.running.discard(job)
            self.unconfirmed[job] = _text(event.data, "message")
        if name in AWAY:
            self.running.discard(job)
            self._spend(event)
        if name == "ready":
            self.saving.add(job)
        if name in ENDS:
            self.saving.discard(job)
            self.ended[name] = self.ended.get(name, 0) + 1
            self._end_instants.append(event.at)
        error = event.data.get("error")
        if name in FAILURES and isinstance(error, dict):
            row = event.data.get("row")
            self.failures.append(
                Failure(
                    id=job,
                    row=row if isinstance(row, int) else None,
                    code=_text(error, "code"),
                    message=_text(error, "message"),
                )
            )

    def _spend(self, event: RunEvent) -> None:
        cost_usd = _price(event.data, "cost_usd")
        if cost_usd is None:
            return
        self.spent_usd = (self.spent_usd or 0.0) + cost_usd
        self.priced_usd += cost_usd
        if event.name != "retrying":  # that one will cost again
            self.priced += 1

    # ── what follows from the counts ──

    @property
    def done(self) -> int:
        return sum(self.ended.values())

    @property
    def under_way(self) -> int:
        """Jobs at the service, looked at again, or being saved."""
        return len(self.running) + len(self.unconfirmed) + len(self.saving)

    @property
    def waiting(self) -> int:
        """Jobs that are neither at the service nor being saved nor at their end."""
        return max(0, self.to_do - self.done - self.under_way)

    def left_s(self, now: float) -> float | None:
        """Return the seconds until the end; None before anything is known of run times."""
        if self.done_at is None or self.draining is not None or self.done >= self.to_do:
            return None
        return max(0.0, self.done_at - now)

    def per_s(self, now: float) -> float | None:
        """Return how many jobs end in a second, lately; None while that is hearsay."""
        recent = [at for at in self._end_instants.copy() if at >= now - RATE_S]
        if len(recent) < 2:
            return None
        all_of_them = len(recent) == self.done and self.began_at is not None
        since = max(self.began_at or 0.0, now - RATE_S) if all_of_them else recent[0]
        return len(recent) / max(now - since, 1e-3)

    @property
    def projected_usd(self) -> float | None:
        """What the folder will have cost at the end of the run, if the rest costs what the others did.

        Before the first of them has ended it is what the plan said.
        """
        if self.draining is not None:
            return None
        if not self.priced:
            return None if self.planned_usd is None else (self.spent_usd or 0.0) + self.planned_usd
        assert self.spent_usd is not None
        return self.spent_usd + self.priced_usd / self.priced * (
            self.waiting + len(self.running) + len(self.unconfirmed)
        )


def _int(data: Mapping[str, Json], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) else 0


def _float(data: Mapping[str, Json], key: str) -> float:
    value = data.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _text(data: Mapping[str, Json], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _price(data: Mapping[str, Json], key: str) -> float | None:
    value = data.get(key)
    return float(value) if isinstance(value, int | float) else None


def _instant(event: RunEvent, key: str) -> float | None:
    return None if event.data.get(key) is None else event.at + _float(event.data, key)
