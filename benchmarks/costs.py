"""Where does the CPU time of a run go?  ``python -m benchmarks.costs [JOBS]``

One run of the makespan benchmark, sampled.  The first list says in whose code the time passed, the second
which steps it passed for, with all that they call; so the second overlaps itself.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .inputs import write_jsonl
from .makespan import SERVICE, our_command
from .processes import python, run
from .simulator import simulator

SHOWN: Final = 14
STEPS: Final = (
    ("batchrunner/client.py", "status"),
    ("batchrunner/client.py", "result"),
    ("batchrunner/client.py", "submit"),
    ("batchrunner/download.py", "fetch"),
    ("batchrunner/ledger/writer.py", "do"),
    ("batchrunner/ledger/writer.py", "_write"),
    ("batchrunner/outputs/runlog.py", "__call__"),
    ("batchrunner/session/preparing.py", "prepared"),
    ("httpcore/_async/connection_pool.py", "_assign_requests_to_connections"),
    ("<frozen importlib._bootstrap>", "_find_and_load"),
)
"""The calls of a job's life, and known suspects."""

Stack = list[tuple[str, str]]
Samples = list[tuple[int, Stack]]


def main(jobs: int = 500) -> None:
    with tempfile.TemporaryDirectory(prefix="batchrunner-bench-") as folder:
        samples, cpu_ms = _sample(jobs, Path(folder))
    own, steps = Counter[str](), Counter[str]()
    for times, stack in samples:
        own[_room(stack)] += times
        steps.update(dict.fromkeys(_steps(stack), times))
    total = own.total()
    for heading, counts in (("in whose code", own), ("for which step", steps)):
        print(heading)
        for name, times in counts.most_common(SHOWN):
            share = times / total
            print(f"  {share:5.1%}  {share * cpu_ms / jobs:6.2f} ms a job  {name}")


def _sample(jobs: int, folder: Path) -> tuple[Samples, float]:
    """Return the samples of one run, and the CPU milliseconds of its whole process."""
    manifest, samples = write_jsonl(folder / "jobs.jsonl", jobs), folder / "samples"
    with simulator(*SERVICE) as service:
        arguments = our_command(manifest, folder / "output", service.address)[3:]
        child = run(python("-m", "benchmarks.programs.sampled_run", samples, *arguments))
    return json.loads(samples.read_text()), child.cpu_s * 1000


def _steps(stack: Stack) -> Iterator[str]:
    for file, function in stack:
        if any(file.endswith(known) and function == name for known, name in STEPS):
            yield f"{'/'.join(file.split('/')[-2:])} {function}"


def _room(stack: Stack) -> str:
    """Return the package whose code ran; of ours, the room; of the standard library, the module."""
    file = stack[0][0]
    if file.endswith("selectors.py"):
        return "the loop's wait, and threads meanwhile"
    if any(frame[0].startswith("<frozen importlib") for frame in stack):
        return "imports"
    if "site-packages/" in file:
        return file.split("site-packages/")[1].split("/")[0]
    if "/batchrunner/" in file:
        return "batchrunner/" + file.split("/batchrunner/")[1].split("/")[0]
    return "asyncio" if "/asyncio/" in file else f"standard library: {Path(file).stem}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
