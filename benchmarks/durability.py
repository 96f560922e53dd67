"""What does it cost to make a step durable, against what the device itself takes for an fsync?"""

from __future__ import annotations

import json
from pathlib import Path

from .figures import Figure, Must
from .processes import python, run
from .scale import Scale


def durability(scale: Scale, folder: Path) -> list[Figure]:
    """Take real steps of jobs' lives at 1,000 a second, then as fast as 64 waiting jobs can."""
    found = json.loads(
        run(python("-m", "benchmarks.programs.ledger_steps", folder, f"{scale.seconds}")).stdout
    )
    pace = "intend, accepted, done; 1,000 steps/s, in turn with 1,000 fsyncs/s"
    back_to_back = f"fsyncs back to back: {found['back_to_back_p99']:.2f} ms at p99"
    return [
        Figure(name="awaited durable step, p99", unit="ms", ours=found["step_p99"], limit=found["sync_p99"],
               limit_is="p99 of an fsync", must=Must(ratio=4), how=f"{pace}; {back_to_back}"),
        Figure(name="awaited durable step, median", unit="ms", ours=found["step_p50"],
               limit=found["sync_p50"], limit_is="median fsync", how=pace),
        Figure(name="durable steps per second", unit="steps/s", ours=found["events_per_s"],
               limit=1000 / found["back_to_back_p50"], limit_is="one fsync each", must=Must(at_least=5_000),
               how="64 jobs waiting at once"),
        Figure(name="CPU per durable step", unit="ms", ours=found["cpu_ms_per_event"],
               how="loop and writer thread together, 64 waiting"),
    ]  # fmt: skip
