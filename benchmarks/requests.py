"""What does a request cost, however many jobs are open?

Jobs look at their status in a closed loop, the answer takes 50 ms.  Against httpx as one writes it, with its
default limits and 100 jobs; and against aiohttp without anything around it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from .figures import Figure, Must
from .processes import python, run
from .scale import Scale
from .simulator import served

DELAY_S: Final = 0.05
OPEN_JOBS: Final = {100: 0.4, 1_000: 0.4, 5_000: 0.6}
"""Jobs open, and what a request may cost against httpx's."""


def requests(scale: Scale, folder: Path) -> list[Figure]:
    """Measure each number of open jobs against the two others at the least of them."""
    fewest, film = min(OPEN_JOBS), folder / "none"
    seconds = min(5.0, scale.seconds)
    with served(python("-m", "benchmarks.programs.wire_server", f"{DELAY_S}", film)) as address:
        peer = _measure("httpx", address, fewest, seconds)
        bare = _measure("aiohttp", address, fewest, seconds)
        ours = {jobs: _measure("ours", address, jobs, seconds) for jobs in OPEN_JOBS}
    figures = [
        Figure(name=f"CPU per request, {jobs:,} jobs open", unit="ms", ours=found["cpu_ms"],
               limit=peer["cpu_ms"], limit_is=f"default httpx, {fewest} jobs", must=Must(ratio=most),
               how=f"{found['per_s']:,.0f} requests/s; httpx {peer['per_s']:,.0f}")
        for (jobs, most), found in zip(OPEN_JOBS.items(), ours.values(), strict=True)
    ]  # fmt: skip
    return [
        *figures,
        Figure(name=f"CPU per request, {fewest} jobs open, to the limit", unit="ms",
               ours=ours[fewest]["cpu_ms"], limit=bare["cpu_ms"], limit_is="bare aiohttp",
               how=f"bare aiohttp: {bare['per_s']:,.0f} requests/s"),
    ]  # fmt: skip


def _measure(client: str, address: str, jobs: int, seconds: float) -> dict[str, float]:
    program = "benchmarks.programs.open_looks"
    found: dict[str, float] = json.loads(
        run(python("-m", program, client, address, f"{jobs}", f"{seconds}")).stdout
    )
    return found
