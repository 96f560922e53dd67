"""Clocks that run fast: a process in which a second of waiting takes SPEED times less.

Nothing of the program is changed: its backoffs, spacings and time-outs keep their lengths, and the whole
process (a simulator in it included) lives faster.  To be called before the event loop is imported.  All
processes of a test count from the same BEGAN_AT, so they agree on what time it is.
"""

from __future__ import annotations

import math
import selectors
import sys
import time
from collections.abc import Callable
from typing import Any

SPEED = 20.0


def hurry(began_at: float, speed: float = SPEED) -> None:
    """Let the clocks of this process run *speed* times as fast since *began_at* (Unix seconds)."""
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # it has a clock of its own
    wall, monotonic = time.time, time.monotonic
    time.time = lambda: began_at + (wall() - began_at) * speed
    time.monotonic = lambda: monotonic() * speed
    for kind in {selectors.DefaultSelector, selectors.SelectSelector}:
        kind.select = _hurried(kind.select, speed)  # type: ignore[method-assign]


def _hurried(select: Callable[..., Any], speed: float) -> Callable[..., Any]:
    def hurried(self: object, timeout: float | None = None) -> Any:
        waits = timeout is not None and 0 < timeout < math.inf
        return select(self, timeout / speed if waits and timeout is not None else timeout)

    return hurried
