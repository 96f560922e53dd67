"""Real steps of jobs' lives on a real ledger, timed; and the device's own fsync beside them.

    python -m benchmarks.programs.ledger_steps FOLDER SECONDS

Prints one JSON object; durations in milliseconds.

The device is asked at the pace of the steps, and in turn with them.  A disk that rests between two fsyncs has
other bad moments than one that is kept busy, and a host has bad seconds: who asks for a third of a second,
back to back, meets neither.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from batchrunner import event_loop
from batchrunner._types import Output, RequestId
from batchrunner.ledger import LedgerWriter, Store
from batchrunner.ledger.connections import begin_log
from batchrunner.ledger.intake import stage, take_in
from batchrunner.ledger.log_copy import LogCopy
from batchrunner.ledger.writer import Step
from batchrunner.manifest import read_jobs
from batchrunner.models import Schemas

from ..inputs import MODEL, write_jsonl

RATE: Final = 1_000
"""Steps a second at the steady pace."""
CALLERS: Final = 64
"""Jobs that wait for their step at once when the ledger is pushed to its limit."""
STEPS_A_JOB: Final = 3
TURNS: Final = 8
"""How often the steps and the device take turns, so that both meet the same seconds."""


def steps(seqs: range) -> Iterator[Step[object]]:
    """Yield the three steps every paid job takes, for all of *seqs* in turn."""
    for seq in seqs:
        yield partial(Store.intend, seq=seq, now=time.time())
    for seq in seqs:
        yield partial(Store.accepted, seq=seq, request_id=RequestId(f"request-{seq}"), now=time.time())
    for seq in seqs:
        link = Output(key="video", url=f"https://films.example.com/{seq}.mp4")
        yield partial(Store.done, seq=seq, outputs=(link,), cost_usd=0.1, now=time.time())


def sync_times_ms(folder: Path, count: int, *, rate: float | None) -> list[float]:
    """Append 200 bytes and fsync: the least a durable step can take on this device.

    *rate* is a second's fsyncs, None for back to back.  One that is due while the one before it lasts is
    counted from when it was due, as a step is.
    """
    taken = []
    with (folder / "synced").open("ab", buffering=0) as file:
        began = time.perf_counter()
        for number in range(count):
            due = began + number / rate if rate else time.perf_counter()
            if (early_s := due - time.perf_counter()) > 0:
                time.sleep(early_s)
                due = time.perf_counter()  # how well this machine sleeps is not the device's doing
            file.write(b"x" * 200)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - due) * 1000)
    return taken


async def paced(writer: LedgerWriter, work: Iterator[Step[object]]) -> list[float]:
    """Begin RATE steps a second, whether or not earlier ones are durable, and return what each took."""
    taken: list[float] = []

    async def timed(step: Step[object]) -> None:
        began = time.perf_counter()
        await writer.do(step)
        taken.append((time.perf_counter() - began) * 1000)

    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for number, step in enumerate(work):
            await anyio.sleep_until(began + number / RATE)
            tasks.start_soon(timed, step)
    return taken


async def pushed(writer: LedgerWriter, work: Iterator[Step[object]]) -> None:
    """Let CALLERS tasks take the steps one after the other, each as soon as its last one is durable."""

    async def caller() -> None:
        for step in work:
            await writer.do(step)

    async with anyio.create_task_group() as tasks:
        for _ in range(CALLERS):
            tasks.start_soon(caller)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(folder: Path, seconds: float) -> dict[str, float]:
    paced_jobs = int(RATE * seconds / STEPS_A_JOB)
    pushed_jobs = 2 * paced_jobs
    manifest = write_jsonl(folder / "jobs.jsonl", paced_jobs + pushed_jobs)
    ledger = folder / "ledger.sqlite"
    store = Store.open(ledger, log_at_once=False)
    with store.transaction():
        stage(store, read_jobs(manifest, model=MODEL, schemas=Schemas()))
        take_in(store, time.time())
    begin_log(store.connection, ledger)  # as a run does
    taken_ms: list[float] = []
    syncs_ms: list[float] = []
    back_to_back_ms: list[float] = []
    writer = LedgerWriter(store)
    async with writer.running(), anyio.create_task_group() as tasks:
        copying = LogCopy(writer, ledger, after_s=0)
        tasks.start_soon(copying.run)
        for first in range(1, paced_jobs + 1, each := -(-paced_jobs // TURNS)):
            jobs = range(first, min(first + each, paced_jobs + 1))
            taken_ms += await paced(writer, steps(jobs))
            syncs_ms += sync_times_ms(folder, len(jobs) * STEPS_A_JOB, rate=RATE)
            back_to_back_ms += sync_times_ms(folder, len(jobs), rate=None)
        began, cpu_s = time.perf_counter(), time.process_time()
        await pushed(writer, steps(range(paced_jobs + 1, paced_jobs + pushed_jobs + 1)))
        pushed_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
        await copying.end()
    store.close()
    events = pushed_jobs * STEPS_A_JOB
    return {
        "sync_p50": percentile(syncs_ms, 0.5), "sync_p99": percentile(syncs_ms, 0.99),
        "back_to_back_p50": percentile(back_to_back_ms, 0.5),
        "back_to_back_p99": percentile(back_to_back_ms, 0.99),
        "step_p50": percentile(taken_ms, 0.5), "step_p99": percentile(taken_ms, 0.99),
        "events_per_s": events / pushed_s, "cpu_ms_per_event": cpu_s * 1000 / events,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(event_loop.run(measure, Path(sys.argv[1]), float(sys.argv[2]))))
