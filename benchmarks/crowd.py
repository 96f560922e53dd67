"""Does anything collapse when thousands of jobs are in flight at once?

One real run on the simulator, as many jobs in flight as there are.  The limit of its makespan is the longest
of the jobs; what comes on top is mostly submitting them all, which the simulator's own CPU bounds.
"""

from __future__ import annotations

from pathlib import Path

from .figures import Figure, Must
from .inputs import MODEL, write_jsonl
from .processes import batchrunner, run
from .scale import Scale
from .simulator import Record, list_schedule_s, simulator


def crowd(scale: Scale, folder: Path) -> list[Figure]:
    """Lead all jobs at once through the pool."""
    jobs = scale.crowd
    poll_s = min(5.0, scale.crowd_s)
    manifest = write_jsonl(folder / "jobs.jsonl", jobs)
    with simulator("--slots", f"{jobs}", "--service-time", f"{scale.crowd_s}", "--spread", "0.15") as service:
        where = ("-o", folder / "output", "--model", MODEL, "--base-url", service.address)
        flags = ("--concurrency", f"{jobs}", "--poll-interval", f"{poll_s:g}", "--downloads", "16")
        child = run(batchrunner("run", manifest, *where, *flags))
        record = service.record()
    polls = record.polls / jobs
    how = f"{scale.crowd_s:g} s / 0.15, --poll-interval {poll_s:g}, {polls:.3g} polls a job"
    return [
        Figure(name="jobs in flight at once", unit="jobs", ours=_most_at_once(record), limit=jobs,
               limit_is="all of them", must=Must(at_least=0.9 * jobs), how=f"all of them succeeded; {how}"),
        Figure(name=f"makespan, {jobs:,} in flight", unit="s", ours=child.wall_s,
               limit=list_schedule_s(record.service_s, jobs), limit_is="the longest job", how=how),
        Figure(name=f"CPU per job, {jobs:,} in flight", unit="ms", ours=child.cpu_s * 1000 / jobs, how=how),
        Figure(name=f"peak memory, {jobs:,} in flight", unit="MB", ours=child.peak_mb, how=how),
    ]  # fmt: skip


def _most_at_once(record: Record) -> int:
    """Count at each beginning what has not ended by then."""
    spans = zip(record.accepted_at, record.service_s, strict=True)
    changes = sorted(change for at, s in spans for change in ((at, 1), (at + s, -1)))
    most = now = 0
    for _, step in changes:
        now += step
        most = max(most, now)
    return most
