"""What does the run wait for, and when will it be done?  Told when it changes, for whoever watches."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Final

from msgspec import Struct

from .._types import Json
from ..event_loop import current_time
from ..stopping import Phase
from .context import Context

QUIET_S: Final = 1.0
"""The weather is told at most so often, however it changes."""

FORECAST_EVERY_S: Final = 5.0

FORECAST_MOVED: Final = 0.05
"""A forecast is told anew when it moved by this share of the time left."""


class Sky(StrEnum):
    """What keeps submissions back."""

    FAIR = "fair"  # nothing does
    THROTTLED = "throttled"  # the service asks for patience
    DOUBT = "doubt"  # an answer was lost; a sign of life comes first
    AWAY = "away"  # the service does not answer, or takes nothing
    HELD = "held"  # the user does, by hand
    BACKLOG = "backlog"  # too many results wait for their download


class Conditions(Struct, frozen=True, kw_only=True):
    """How things stand; instants are the event loop's."""

    sky: Sky
    reason: str
    limit: int
    concurrency: int
    next_try_at: float | None
    since: float | None
    gives_up_at: float | None

    def as_data(self, now: float) -> dict[str, Json]:
        """Return them as an event's data, with durations from *now*."""
        return {
            "sky": str(self.sky),
            "reason": self.reason or None,
            "limit": self.limit,
            "concurrency": self.concurrency,
            "next_try_s": _from(now, self.next_try_at),
            "lasted_s": None if self.since is None else round(now - self.since, 1),
            "gives_up_s": _from(now, self.gives_up_at),
        }


def _from(now: float, instant: float | None) -> float | None:
    return None if instant is None or instant <= now else round(instant - now, 1)


def conditions(context: Context, backlog: int) -> Conditions:
    """Read how things stand; from *backlog* results on, downloads come before new submissions."""
    weather = context.weather
    sky, since = Sky.FAIR, None
    if context.held_since is not None:
        sky, since = Sky.HELD, context.held_since
    elif weather.silent_since is not None:
        sky, since = Sky.AWAY, weather.silent_since
    elif weather.doubted_since is not None:
        sky, since = (Sky.AWAY if weather.is_outage else Sky.DOUBT), weather.doubted_since
    elif weather.careful:
        sky, since = Sky.THROTTLED, weather.refused_since
    elif context.unsaved >= backlog:
        sky = Sky.BACKLOG
    in_trouble = sky in (Sky.AWAY, Sky.DOUBT, Sky.THROTTLED)
    return Conditions(
        sky=sky,
        reason=weather.reason if in_trouble else "",
        limit=weather.in_flight_limit,
        concurrency=weather.concurrency,
        next_try_at=weather.paused_until if in_trouble else None,
        since=since,
        gives_up_at=weather.gives_up_at(submitting=True) if in_trouble else None,
    )


async def tell_changes(context: Context, backlog: int) -> None:
    """Tell of the weather, of the forecast and of draining, for as long as this task lives."""
    try:
        await _tell_changes(context, backlog)
    except Exception:  # what only informs may fail; the paid run goes on
        logging.getLogger("batchrunner").exception("the run goes on, and tells less of itself")


async def _tell_changes(context: Context, backlog: int) -> None:
    told: Conditions | None = None
    draining = False
    quiet_until = forecast_at = 0.0
    done_at: float | None = None
    while True:
        now, until = current_time(), None
        if not draining and context.stopping.phase is Phase.DRAINING:
            draining = True
            in_flight = context.slots.in_use - context.waiting_to_submit + context.unsaved
            context.tell("draining", None, reason=context.stopping.reason, in_flight=in_flight)
        found = conditions(context, backlog)
        if found != told and now < quiet_until:
            until = quiet_until
        elif found != told:
            context.tell("weather", None, **found.as_data(now))
            told, quiet_until = found, now + QUIET_S
        if now >= forecast_at and not draining:
            forecast_at = now + FORECAST_EVERY_S
            done_at = _tell_forecast(context, now, done_at)
        await context.changed.wait_at_ease(until)


def _tell_forecast(context: Context, now: float, told: float | None) -> float | None:
    """Tell when the run will be done, if that moved; return the instant that was told last."""
    left_s = context.forecast.left_s(now, context.weather.in_flight_limit)
    if left_s is None or (told is not None and abs(now + left_s - told) <= FORECAST_MOVED * left_s):
        return told
    context.tell("forecast", None, left_s=round(left_s, 1))
    return now + left_s
