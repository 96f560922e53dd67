"""What do more workers gain where one worker's line holds a batch back, and what does the engine itself cost?

The line is the simulator's: each film trickles at a fixed rate, and a worker fetches two at a time, so a
worker has a fixed bandwidth and the machine's own does not matter.  The limit is that bandwidth alone.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from .figures import Figure, Finding, Skipped
from .inputs import write_jsonl
from .makespan import our_command
from .processes import Child, run
from .scale import Scale
from .simulator import simulator

FILM_S: Final = 1.0
DOWNLOADS: Final = 2
WORKERS: Final = 4
TINY_BYTES: Final = 3_546
"""The simulator's tiny film, one for each job."""

THIN_LINE: Final = ("--slots", "200", "--service-time", "0.1", "--fault",
                    f"file trickle rate={TINY_BYTES / FILM_S:g} times=always")  # fmt: skip
FREE_LINE: Final = ("--slots", "50", "--service-time", "1s", "--spread", "0.25")


def engine(scale: Scale, folder: Path) -> list[Finding]:
    """Run a batch whose films trickle on one worker and on four, and one that nothing holds back."""
    if find_spec("distributed") is None:
        return [Skipped(name="engine", why="the extra `dask` is not installed")]
    jobs = scale.jobs // 2
    manifest = write_jsonl(folder / "jobs.jsonl", jobs)
    four = _run(manifest, folder / "four", THIN_LINE, workers=WORKERS)
    others = _other_clusters(jobs, manifest, folder, four) if scale.clusters else []
    return [
        Figure(name=f"makespan, {WORKERS} workers", unit="s", ours=four.wall_s, limit=_held_s(jobs) / WORKERS,
               limit_is="their lines", how=f"{_films(jobs)}; 16 shards, the cluster's start included"),
        *others,
    ]  # fmt: skip


def _other_clusters(jobs: int, manifest: Path, folder: Path, four: Child) -> list[Figure]:
    one = _run(manifest, folder / "one", THIN_LINE, workers=1)
    alone = _run(manifest, folder / "alone", FREE_LINE)
    led = _run(manifest, folder / "led", FREE_LINE, workers=1, shards=1)
    usual = _run(manifest, folder / "usual", FREE_LINE, workers=1)
    return [
        Figure(name="makespan, 1 worker", unit="s", ours=one.wall_s, limit=_held_s(jobs),
               limit_is="its line", how=_films(jobs)),
        Figure(name=f"{WORKERS} workers against 1", unit="s", ours=four.wall_s, limit=one.wall_s,
               limit_is="1 worker", how="the two above"),
        Figure(name="engine, 1 worker, 1 shard", unit="s", ours=led.wall_s, limit=alone.wall_s,
               limit_is="run without it", how=f"{jobs} jobs of 1 s, 50 at once; start included"),
        Figure(name="engine, 1 worker, 4 shards", unit="s", ours=usual.wall_s, limit=alone.wall_s,
               limit_is="run without it", how="the same, one shard after the other"),
    ]  # fmt: skip


def _held_s(jobs: int) -> float:
    """Return how long one worker's line takes for all films."""
    return jobs * FILM_S / DOWNLOADS


def _films(jobs: int) -> str:
    return f"{jobs} films of {FILM_S:g} s each, {DOWNLOADS} at once for each worker"


def _run(
    manifest: Path, folder: Path, service: tuple[str, ...], *, workers: int = 0, shards: int = 0
) -> Child:
    flags = ["--progress", "none", "--downloads", f"{DOWNLOADS if service is THIN_LINE else 8}"]
    if workers:
        flags += ["--engine", "dask", "--workers", f"{workers}"]
    if shards:
        flags += ["--shards", f"{shards}"]
    with simulator(*service) as running:
        return run([*our_command(manifest, folder, running.address), *flags])
