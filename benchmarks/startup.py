"""How long does a short command take, against the interpreter alone?  (`status`: see intake.py)"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .figures import Figure, Must
from .processes import batchrunner, python, run
from .scale import Scale


def startup(scale: Scale, folder: Path) -> list[Figure]:
    """Start `--help`."""
    how = f"median of {scale.starts} starts"
    bare_s = _median_s(python("-c", "pass"), scale.starts)
    help_s = _median_s(batchrunner("--help"), scale.starts)
    return [
        Figure(name="--help", unit="s", ours=help_s, limit=bare_s, limit_is="python -c pass",
               must=Must(ours=0.3), how=how),
    ]  # fmt: skip


def _median_s(command: Sequence[str], starts: int) -> float:
    run(command)  # the first start reads the files from the disk
    return median(run(command).wall_s for _ in range(starts))
