"""How big is a benchmark's work: a look in a minute, the usual size, or all of it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The sizes that benchmarks share."""

    jobs: int
    """Jobs led through the pool against the simulator."""
    rows: int
    """Rows of the manifests that are validated and imported."""
    seconds: float
    """How long the ledger is kept busy at a steady rate."""
    starts: int
    """How often a short command is started; the median counts."""
    crowd: int = 5_000
    """Jobs in flight at once."""
    crowd_s: float = 120
    """How long each of them takes."""
    films: int = 32
    """Films that are downloaded, and their size."""
    film_mb: int = 32
    rounds: int = 3
    """How often films are downloaded for their CPU; the least counts."""
    clusters: bool = True
    """Whether the engine also leads clusters of other sizes; each takes seconds of CPU to start."""
    peers: bool = True
    """Whether the batch is also done by what others use, installed for that where it is not here."""

    @property
    def is_full(self) -> bool:
        """Whether manifests have the million rows that bounds in seconds speak of."""
        return self.rows >= 1_000_000


QUICK: Final = Scale(
    jobs=24, rows=1_000, seconds=0.5, starts=1, crowd=50, crowd_s=1, films=4, film_mb=2,
    rounds=1, clusters=False, peers=False,
)  # fmt: skip
"""Shows that each benchmark still runs; its figures mean nothing."""
USUAL: Final = Scale(jobs=500, rows=100_000, seconds=10, starts=7)
FULL: Final = Scale(jobs=500, rows=1_000_000, seconds=30, starts=15)
