"""How soon does a big manifest's first submission leave: from a fresh folder, and with nearly all done?"""

from __future__ import annotations

from pathlib import Path

from .figures import Figure, Must
from .inputs import MODEL, write_csv
from .processes import Child, batchrunner, python, run
from .scale import Scale
from .simulator import simulator
from .validation import CSV, FEW_ROWS


def intake(scale: Scale, folder: Path) -> list[Figure]:
    """Run one job of the manifest, finish 99 % behind the scenes, and run one more job."""
    manifest, few = write_csv(folder / "jobs.csv", scale.rows), write_csv(folder / "few.csv", FEW_ROWS)
    one_pass = run(python("-c", CSV.one_pass, manifest))
    with simulator("--service-time", "0.1s") as service:
        small = run(_run_one(few, folder / "small", service.address))
        new = run(_run_one(manifest, folder / "big", service.address))
        run(python("-m", "benchmarks.programs.finish_jobs", folder / "big", f"{scale.rows * 99 // 100}"))
        rerun = run(_run_one(manifest, folder / "big", service.address))
        accepted_at = service.record().accepted_at
    return [
        *_figures(f"{scale.rows:,} new rows", new, accepted_at[1], one_pass, small, scale, most_s=15),
        *_figures(f"{scale.rows:,} rows, 99 % done", rerun, accepted_at[2], one_pass, small, scale, most_s=2),
    ]


def _run_one(manifest: Path, folder: Path, address: str) -> list[str]:
    flags = ("--model", MODEL, "--base-url", address, "--limit", "1", "--poll-interval", "0.1")
    return batchrunner("run", manifest, "-o", folder, *flags)


def _figures(
    what: str, child: Child, accepted_at: float, one_pass: Child, small: Child, scale: Scale, *, most_s: float
) -> list[Figure]:
    first_s = accepted_at - child.started_at
    how = f"start of the process to acceptance; CPU of the whole run {child.cpu_s:.1f} s"
    return [
        Figure(name=f"first submission, {what}", unit="s", ours=first_s, limit=one_pass.wall_s,
               limit_is=f"one pass, {CSV.parser}", must=Must(ours=most_s) if scale.is_full else None,
               how=how),
        Figure(name=f"the rest of that run, {what}", unit="s", ours=child.wall_s - first_s,
               must=Must(ours=10) if scale.is_full else None,
               how="0.1 s of service, one film, then the result files"),
        Figure(name=f"memory, {what}", unit="MB", ours=child.peak_mb, limit=small.peak_mb,
               limit_is=f"{FEW_ROWS} rows", must=Must(ratio=2), how="peak of the run of one job"),
    ]  # fmt: skip
