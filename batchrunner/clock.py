"""A clock for promises to others, and for what they may have done meanwhile."""

from __future__ import annotations

import time
from typing import Final

_SLEEPLESS: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""CLOCK_MONOTONIC goes on in sleep on macOS, not on Linux; Windows has neither, and one that does."""


def sleepless_time() -> float:
    """Return seconds on a clock that never goes back, and goes on while the machine sleeps."""
    return time.monotonic() if _SLEEPLESS is None else time.clock_gettime(_SLEEPLESS)
