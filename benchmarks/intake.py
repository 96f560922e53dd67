"""How soon does a big manifest's first submission leave: from a fresh folder, and with nearly all done?"""

from __future__ import annotations

from pathlib import Path

from .figures import Figure
from .inputs import MODEL, write_csv
from .processes import Child, batchrunner, python, run
from .scale import Scale
from .simulator import simulator
from .validation import PASSES


def intake(scale: Scale, folder: Path) -> list[Figure]:
    """Run one job of the manifest, finish 99 % behind the scenes, and run one more job."""
    manifest, output = write_csv(folder / "jobs.csv", scale.rows), folder / "output"
    limit = run(python("-c", PASSES["CSV"][2], manifest))
    with simulator("--service-time", "0.1s") as service:
        command = batchrunner(
            "run", manifest, "-o", output, "--model", MODEL, "--base-url", service.address, "--limit", "1"
        )
        fresh = run(command)
        run(python("-m", "benchmarks.programs.finish_jobs", output, f"{scale.rows * 99 // 100}"))
        again = run(command)
        first_at, second_at = service.record().accepted_at
    return [
        *_figures(f"first submission, {scale.rows:,} new rows", fresh, first_at, limit),
        *_figures(f"first submission, {scale.rows:,} rows, 99 % done", again, second_at, limit),
    ]


def _figures(name: str, child: Child, accepted_at: float, limit: Child) -> list[Figure]:
    first_s = accepted_at - child.started_at
    return [
        Figure(name=name, unit="s", ours=first_s, limit=limit.wall_s, limit_is="one pass, csv module",
               how="from the start of the process to the acceptance"),
        Figure(name=f"{name}: the rest", unit="s", ours=child.wall_s - first_s,
               how="from there to the exit: one job, then the result files"),
        Figure(name=f"{name}: memory", unit="MB", ours=child.peak_mb, limit=limit.peak_mb,
               limit_is="one pass, csv module", how="peak"),
    ]  # fmt: skip
