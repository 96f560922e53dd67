"""What does dividing a batch among shards cost in time?  In virtual time, up to a hundred million jobs.

A shard has its own part of the jobs, by the hash of their ids, and its own part of the jobs in flight; what
it does not need at its end, nobody else gets.  The limit is the same work in one queue, with all places.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from .figures import Figure
from .scale import Scale
from .simulator import list_schedule_s

MEAN_S: Final = 65.0
SPREAD: Final = 0.42
SEED: Final = 7

PLACES: Final = 2_000
"""Jobs in flight, of the whole batch."""

MANY: Final = 100_000_000
MANY_SHARDS: Final = 1_000
MANY_PLACES: Final = 1_000
"""Jobs in flight, of one shard."""


def shards(scale: Scale, folder: Path) -> list[Figure]:
    """Divide a million jobs (a look: fewer) in several ways, and a hundred million; *folder* stays empty."""
    jobs = 1_000_000 if scale.peers else 50_000
    chance = random.Random(SEED)
    run_times_s = [_run_time_s(chance) for _ in range(jobs)]
    whole_s = list_schedule_s(run_times_s, PLACES)
    return [
        *(_divided(run_times_s, count, whole_s) for count in (4, 20, 100)),
        _moved(run_times_s, whole_s, shards=20, workers=20),
        _moved(run_times_s, whole_s, shards=80, workers=20),
        _moved(run_times_s, whole_s, shards=400, workers=20),
        _hundred_million(chance),
    ]


def _run_time_s(chance: random.Random) -> float:
    return chance.lognormvariate(math.log(MEAN_S) - SPREAD**2 / 2, SPREAD)


def _parts(run_times_s: Sequence[float], count: int) -> list[list[float]]:
    """Give each job to the shard that the hash of its id names, as batchrunner/sharding.py does."""
    parts: list[list[float]] = [[] for _ in range(count)]
    for number, run_time_s in enumerate(run_times_s):
        digest = sha256(f"job-{number:07}".encode()).digest()
        parts[int.from_bytes(digest, "big") % count].append(run_time_s)
    return parts


def _divided(run_times_s: Sequence[float], count: int, whole_s: float) -> Figure:
    """All shards at once, each with its part of the places."""
    ours_s = max(list_schedule_s(part, PLACES // count) for part in _parts(run_times_s, count))
    return _figure(f"{len(run_times_s):,} jobs in {count} shards at once", ours_s, whole_s)


def _moved(run_times_s: Sequence[float], whole_s: float, *, shards: int, workers: int) -> Figure:
    """Shards as tasks: whoever is done takes the next one.  One worker is half as fast as the others.

    The limit knows that: its places are fewer by half a worker's.
    """
    needed_s = (list_schedule_s(part, PLACES // workers) for part in _parts(run_times_s, shards))
    free_at = [(0.0, worker) for worker in range(workers)]
    ends_s = 0.0
    for shard_s in needed_s:
        began_s, worker = heapq.heappop(free_at)
        ended_s = began_s + shard_s * (2 if worker == 0 else 1)
        ends_s = max(ends_s, ended_s)
        heapq.heappush(free_at, (ended_s, worker))
    best_s = whole_s * workers / (workers - 0.5)
    what = f"{len(run_times_s):,} jobs, {shards} shards for {workers} workers, one of them half as fast"
    return _figure(what, ends_s, best_s)


def _hundred_million(chance: random.Random) -> Figure:
    """The fullest of a thousand shards decides; its size is drawn, its jobs are played."""
    mean = MANY / MANY_SHARDS
    fullest = max(round(chance.gauss(mean, math.sqrt(mean))) for _ in range(MANY_SHARDS))
    ours_s = list_schedule_s([_run_time_s(chance) for _ in range(fullest)], MANY_PLACES)
    work_s = MANY * MEAN_S / (MANY_SHARDS * MANY_PLACES)
    return _figure(f"{MANY:,} jobs in {MANY_SHARDS:,} shards of {MANY_PLACES:,} places", ours_s, work_s)


def _figure(what: str, ours_s: float, limit_s: float) -> Figure:
    how = f"virtual time; lognormal, mean {MEAN_S:g} s, {SPREAD}; looks and downloads left out on both sides"
    return Figure(name=f"shards: makespan, {what}", unit="s", ours=ours_s, limit=limit_s,
                  limit_is="the same work in one queue", how=how)  # fmt: skip
