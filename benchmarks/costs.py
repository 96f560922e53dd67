"""Where does the CPU time of a run go?  ``python -m benchmarks.costs [JOBS]``

One run of the makespan benchmark under the profiler.  The profiler itself makes small functions look dearer
than they are: read shares, not milliseconds.  Work in threads (SQLite, files, hashes) shows as one line.
"""

from __future__ import annotations

import pstats
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .inputs import write_jsonl
from .makespan import SERVICE, our_command
from .processes import python, run
from .simulator import simulator

SHOWN: Final = 14
SITE: Final = "site-packages/"
OURS: Final = "/batchrunner/"
STEPS: Final = (
    ("batchrunner/client.py", "status"),
    ("batchrunner/client.py", "result"),
    ("batchrunner/client.py", "submit"),
    ("batchrunner/client.py", "model"),
    ("batchrunner/download.py", "fetch"),
    ("batchrunner/ledger/writer.py", "do"),
    ("httpcore/_async/connection_pool.py", "_assign_requests_to_connections"),
    ("<frozen importlib._bootstrap>", "_find_and_load"),
)
"""Functions whose cost with all they call is worth knowing: the calls of a job, and known suspects."""

Function = tuple[str, int, str]
"""File, line and name, as the profiler keys what it saw."""


def main(jobs: int = 500) -> None:
    with tempfile.TemporaryDirectory(prefix="batchrunner-bench-") as folder:
        stats, cpu_s = _profile(jobs, Path(folder))
    seen: dict[Function, tuple[Any, ...]] = stats.stats  # type: ignore[attr-defined]  # typeshed lacks it
    own = Counter[str]()
    for room, seconds in _own_times(seen):
        own[room] += seconds
    own["threads, start and end"] = cpu_s - own.total()
    print("own time, by package")
    for room, seconds in own.most_common(SHOWN):
        print(f"  {seconds / cpu_s:5.0%}  {1000 * seconds / jobs:6.2f} ms a job  {room}")
    print("with all they call")
    for function, row in sorted(seen.items(), key=lambda item: -item[1][3]):
        if any(function[0].endswith(file) and function[2] == name for file, name in STEPS):
            print(f"  {row[3] / cpu_s:5.0%}  {1000 * row[3] / jobs:6.2f} ms a job  {_short(function)}")


def _profile(jobs: int, folder: Path) -> tuple[pstats.Stats, float]:
    """Return the profile of one run, and the CPU seconds of its whole process."""
    manifest, profile = write_jsonl(folder / "jobs.jsonl", jobs), folder / "profile"
    with simulator(*SERVICE) as service:
        arguments = our_command(manifest, folder / "output", service.address)[3:]
        child = run(python("-m", "benchmarks.programs.profiled_run", profile, *arguments))
    return pstats.Stats(str(profile)), child.cpu_s


def _own_times(seen: dict[Function, tuple[Any, ...]]) -> Iterator[tuple[str, float]]:
    """Yield where each function's own time belongs; a built-in's belongs to its callers."""
    for function, (_, _, own_s, _, callers) in seen.items():
        if function[0] != "~" or not callers:
            yield _room(function[0]), own_s
            continue
        for caller, (_, _, called_s, _) in callers.items():
            yield _room(caller[0]), called_s


def _room(file: str) -> str:
    """Return the package a file belongs to; of ours, the room."""
    if SITE in file:
        return file.split(SITE)[1].split("/")[0]
    if OURS in file:
        return "batchrunner/" + file.split(OURS)[1].split("/")[0]
    if "asyncio" in file or file.endswith("selectors.py"):
        return "asyncio"
    return "imports" if "importlib" in file else "standard library"


def _short(function: Function) -> str:
    file, _, name = function
    return f"{'/'.join(file.split('/')[-2:])} {name}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
