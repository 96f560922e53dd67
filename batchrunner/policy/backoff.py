"""How long to wait before something is tried again.

Pure: `uniform` is a draw from [0, 1).  Seconds as float; tries count from 1.
Formula and reasons: docs/decisions/0004-backoff.md
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Backoff(Struct, frozen=True, kw_only=True):
    """Delays that grow with each try up to a cap, spread so that jobs don't move in step."""

    base_s: float
    cap_s: float
    floor: float = 0.0
    """The share of the full delay that is never jittered away (0: "full jitter", 0.5: "equal jitter")."""

    def __post_init__(self) -> None:
        if not 0 < self.base_s <= self.cap_s or not 0 <= self.floor <= 1:
            raise ValueError(f"not a backoff: {self}")

    def delay_s(self, tries: int, uniform: float) -> float:
        """Return the delay before the next try, after *tries* that failed.

        Drawn from [floor, 1) x min(cap, base * 2**(tries - 1)).  The draw comes after the cap, so jobs
        that all reached it still wake at different instants.  Raises ValueError for tries below 1.
        """
        if tries < 1:
            raise ValueError("tries count from 1")
        full = min(self.cap_s, self.base_s * 2.0 ** min(tries - 1, 60))
        return full * (self.floor + (1 - self.floor) * uniform)


GENERATION: Final = Backoff(base_s=5, cap_s=120, floor=0.5)
"""After a failed generation: the one report of a transient failure saw it clear within about a minute."""

POLL_ERROR: Final = Backoff(base_s=1, cap_s=30, floor=0.5)
"""After a look that was not answered; reads are free, yet a struggling service deserves room."""

DOWNLOAD: Final = Backoff(base_s=1, cap_s=30, floor=0.5)
"""After a download that failed in any way."""

PAUSE: Final = Backoff(base_s=1, cap_s=60, floor=0.5)
"""The run's shared pause when the service is throttling, away or in doubt, and names no instant."""

DEFERRAL: Final = Backoff(base_s=0.5, cap_s=20, floor=0.5)
"""One row that is turned away while others are taken."""
