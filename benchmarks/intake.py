"""How soon does a big manifest's first submission leave, and how soon does Ctrl-C end its run?

One folder: taken in anew, then with 99 % done behind the scenes, looked at, run again, and interrupted.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from .figures import Figure, Must
from .inputs import MODEL, write_csv
from .processes import Child, batchrunner, interrupted, python, run
from .scale import Scale
from .simulator import Simulator, simulator
from .validation import CSV

SOME_ROWS = 1_000


def intake(scale: Scale, folder: Path) -> list[Figure]:
    """Run one job of the manifest, finish 99 % behind the scenes, run one more, and interrupt two runs."""
    rows, big = scale.rows, folder / "big"
    manifest, some = write_csv(folder / "jobs.csv", rows), write_csv(folder / "some.csv", SOME_ROWS)
    one_pass = run(python("-c", CSV.one_pass, manifest))
    with simulator("--service-time", "0.1s") as service:
        small = run(_run(some, folder / "small", service, "--limit", "1"))
        new = run(_run(manifest, big, service, "--limit", "1"))
        run(python("-m", "benchmarks.programs.finish_jobs", big, f"{rows * 99 // 100}"))
        rerun = run(_run(manifest, big, service, "--limit", "1"))
        accepted_at = service.record().accepted_at
        bare_s, status_s = (
            _median_s(python("-c", "pass"), scale),
            _median_s(batchrunner("status", big), scale),
        )
        end_s, now_s = _end_s(manifest, big, service, signals=1), _end_s(manifest, big, service, signals=2)
    must = scale.is_full
    return [
        *_figures(f"{rows:,} new rows", new, accepted_at[1], one_pass, small, scale, most_s=15),
        *_figures(f"{rows:,} rows, 99 % done", rerun, accepted_at[2], one_pass, small, scale, most_s=2),
        Figure(name=f"status of {rows:,} jobs, 99 % done", unit="s", ours=status_s, limit=bare_s,
               limit_is="python -c pass", must=Must(ours=1.0), how=f"median of {scale.starts} starts"),
        Figure(name=f"Ctrl-C to the end, {rows:,} jobs", unit="s", ours=end_s,
               must=Must(ours=10) if must else None, how="one job of 0.1 s in flight, then the result files"),
        Figure(name=f"second Ctrl-C to the end, {rows:,} jobs", unit="s", ours=now_s,
               must=Must(ours=1) if must else None, how="half a second after the first"),
    ]  # fmt: skip


def _run(manifest: Path, folder: Path, service: Simulator, *more: str) -> list[str]:
    flags = ("--model", MODEL, "--base-url", service.address, "--poll-interval", "0.1", *more)
    return batchrunner("run", manifest, "-o", folder, *flags)


def _end_s(manifest: Path, folder: Path, service: Simulator, *, signals: int) -> float:
    """Interrupt a run of one job at a time as soon as a job was accepted; return how long it took to end."""
    before = len(service.record().accepted_at)
    command = _run(manifest, folder, service, "--concurrency", "1")
    return interrupted(command, lambda: len(service.record().accepted_at) > before, signals=signals)


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
               how="0.1 s of service, one film, then the result files"),
        Figure(name=f"memory, {what}", unit="MB", ours=child.peak_mb, limit=small.peak_mb,
               limit_is=f"{SOME_ROWS:,} rows", must=Must(ratio=2), how="peak of the run of one job"),
    ]  # fmt: skip


def _median_s(command: list[str], scale: Scale) -> float:
    run(command)  # the first start reads the files from the disk
    return median(run(command).wall_s for _ in range(scale.starts))
