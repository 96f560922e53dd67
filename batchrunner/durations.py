"""How long is "1h30m", when is "07:00", and how is a duration shown?

Seconds as float.  Pure: the caller passes `now`.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400

_UNITS: Final = {"d": DAY_S, "h": HOUR_S, "m": MINUTE_S, "s": 1, "ms": 0.001}
"""From the largest: the order they are written in."""

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
_BARE: Final = re.compile(_NUMBER)
_WITH_UNITS: Final = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER})\s*{unit}\s*)?" for unit in _UNITS))
_CLOCK: Final = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])")

_DURATIONS_ALLOWED: Final = (
    "allowed are seconds such as 90 or 0.5, or numbers with d, h, m, s, ms such as 90s or 1h30m"
)
_UNTIL_ALLOWED: Final = "allowed are a time such as 07:00, a date and time such as 2030-01-31T07:00, or +2h"


def parse_duration(text: str) -> float:
    """Return the seconds *text* means: a bare number is seconds, units are d, h, m, s and ms.

    Units go from large to small, each once (``1h30m``).  Raises ValueError, naming what is allowed.
    """
    stripped = text.strip()
    if _BARE.fullmatch(stripped):
        seconds = float(stripped)
    elif stripped and (parts := _WITH_UNITS.fullmatch(stripped)):
        seconds = sum(float(number) * _UNITS[unit] for unit, number in parts.groupdict("0").items())
    else:
        what = "a duration cannot be negative" if stripped.startswith("-") else f"{text!r} is not a duration"
        raise ValueError(f"{what}; {_DURATIONS_ALLOWED}")
    if not math.isfinite(seconds):
        raise ValueError(f"the duration is too long to count; {_DURATIONS_ALLOWED}")
    return seconds


def format_duration(seconds: float) -> str:
    """Return *seconds* for people, in at most two units: ``0.4 s``, ``12 s``, ``3 m 05 s``, ``2 h 10 m``.

    Less than nothing, which a clock set back can give, is shown as nothing.
    """
    seconds = max(seconds, 0.0)
    if seconds < 9.95:  # rounds to something below 10.0
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if (whole := round(seconds)) < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} m {whole % MINUTE_S:02} s"
    minutes = round(seconds / MINUTE_S)
    if minutes < DAY_S // MINUTE_S:
        return f"{minutes // 60} h {minutes % 60:02} m"
    hours = round(seconds / HOUR_S)
    return f"{hours // 24} d {hours % 24:02} h"


def parse_until(text: str, *, now: datetime) -> datetime:
    """Return the instant *text* means, with its zone; always later than *now*.

    ``HH:MM`` is the next such time on the clock, ``+2h`` a duration from now, anything else ISO 8601.
    What has no zone is meant in the zone of *now*; a *now* without one is the machine's local time, and
    then a summer-time change on the way is seen too.  Raises ValueError, naming what is allowed.
    """
    stripped = text.strip()
    if clock := _CLOCK.fullmatch(stripped):
        return _next_on_the_clock(int(clock["hour"]), int(clock["minute"]), now)
    try:
        relative = stripped.startswith("+")
        until = _after(stripped[1:], now) if relative else _placed(datetime.fromisoformat(stripped), now)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a point in time; {_UNTIL_ALLOWED}") from None
    return _ahead(text, until, now)


def _next_on_the_clock(hour: int, minute: int, now: datetime) -> datetime:
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if _is_later(_placed(today, now), now):
        return _placed(today, now)
    return _placed(today + timedelta(days=1), now)


def _after(duration: str, now: datetime) -> datetime:
    # By timestamp: adding to a zoned datetime moves its wall clock, and a clock change would come in between.
    return datetime.fromtimestamp(now.timestamp() + parse_duration(duration), tz=_placed(now, now).tzinfo)


def _ahead(text: str, until: datetime, now: datetime) -> datetime:
    if not _is_later(until, now):
        raise ValueError(f"{text!r} is not ahead (it is now {now:%Y-%m-%d %H:%M}); {_UNTIL_ALLOWED}")
    return until


def _is_later(until: datetime, now: datetime) -> bool:
    return until.timestamp() > now.timestamp()  # two datetimes of one zone would compare their wall clocks


def _placed(moment: datetime, now: datetime) -> datetime:
    """Give *moment* a zone where it has none: that of *now*, else the machine's at that moment."""
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=now.tzinfo) if now.tzinfo is not None else moment.astimezone()
