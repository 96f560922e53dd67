"""How long does a short command take, against the interpreter alone?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .figures import Figure, Must
from .inputs import MODEL, write_csv
from .processes import batchrunner, python, run
from .scale import Scale

NOWHERE = "http://127.0.0.1:9"
"""Nothing is asked of the service when nothing may be submitted."""


def startup(scale: Scale, folder: Path) -> list[Figure]:
    """Start `--help`, and `status` on a folder full of jobs."""
    manifest, output = write_csv(folder / "jobs.csv", scale.rows), folder / "output"
    run(batchrunner("run", manifest, "-o", output, "--model", MODEL, "--base-url", NOWHERE, "--limit", "0"))
    how = f"median of {scale.starts} starts"
    bare_s = _median_s(python("-c", "pass"), scale.starts)
    help_s = _median_s(batchrunner("--help"), scale.starts)
    status_s = _median_s(batchrunner("status", output), scale.starts)
    return [
        Figure(name="--help", unit="s", ours=help_s, limit=bare_s, limit_is="python -c pass",
               must=Must(ours=0.3), how=how),
        Figure(name=f"status of {scale.rows:,} jobs", unit="s", ours=status_s, limit=bare_s,
               limit_is="python -c pass", must=Must(ours=1.0), how=how),
    ]  # fmt: skip


def _median_s(command: Sequence[str], starts: int) -> float:
    run(command)  # the first start reads the files from the disk
    return median(run(command).wall_s for _ in range(starts))
