"""Does a change cost or save CPU?  ``python -m benchmarks.paired OTHER [ROUNDS] [JOBS]``

OTHER is a checkout of the code to compare with.  Both lead the makespan benchmark's batch, each with a
service of its own, *at the same time*: what disturbs one disturbs the other, so their ratio is steadier by
far than either figure, which differs by a tenth from minute to minute.  ROUNDS are two or more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from .inputs import write_jsonl
from .makespan import SERVICE, our_command
from .processes import ROOT, run
from .simulator import simulator

WARM_UP_JOBS: Final = 1
"""So that neither side compiles its code in a measured run."""


def main(other: str, rounds: int = 5, jobs: int = 500) -> None:
    there = Path(other).resolve()
    with tempfile.TemporaryDirectory(prefix="batchrunner-bench-") as folder:
        list(_rounds(there, 1, WARM_UP_JOBS, Path(folder, "warm-up")))
        ratios = []
        for here_ms, there_ms in _rounds(there, rounds, jobs, Path(folder)):
            ratios.append(here_ms / there_ms)
            print(f"{here_ms:.2f} ms a job here, {there_ms:.2f} there: {ratios[-1]:.3f}", flush=True)
    error = statistics.stdev(ratios) / len(ratios) ** 0.5
    print(f"mean ratio {statistics.mean(ratios):.3f}, standard error {error:.3f}")


def _rounds(there: Path, rounds: int, jobs: int, folder: Path) -> Iterator[tuple[float, float]]:
    """Yield the CPU milliseconds of a job here and there, for each round."""
    folder.mkdir(exist_ok=True)
    manifest = write_jsonl(folder / "jobs.jsonl", jobs)
    with ThreadPoolExecutor(2) as both:
        for n in range(rounds):
            checkouts = (ROOT, there) if n % 2 else (there, ROOT)  # the first to begin has the machine alone
            cpu = [
                both.submit(_cpu_ms, each, manifest, folder / f"{n}-{i}") for i, each in enumerate(checkouts)
            ]
            took = dict(zip(checkouts, (each.result() / jobs for each in cpu), strict=True))
            yield took[ROOT], took[there]


def _cpu_ms(checkout: Path, manifest: Path, folder: Path) -> float:
    """Return the CPU milliseconds of one run by the code of *checkout*."""
    with simulator(*SERVICE) as service:
        return run(our_command(manifest, folder, service.address), cwd=checkout).cpu_s * 1000


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
