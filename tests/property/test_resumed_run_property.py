"""The law of the whole: stopped at any step, then resumed, a run ends as if nothing had happened.

A crash is played by a copy of what is durable at that instant, and a wire that is dead from then on.
"""

from __future__ import annotations

from collections import Counter

import anyio
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from batchrunner.errors import Exit
from batchrunner.lifecycle import State
from batchrunner.settings import Rerun, Settings
from tests.builders import some_jobs
from tests.doubles import QUICK, Bench, Line, a_bench, in_virtual_time
from tests.laws import tried

JOBS = some_jobs(6)
IDS = [job.id for job in JOBS]
RUN = Settings(concurrency=3)
SERVICE = replace(QUICK, latency_s=0.5, service_time_s=8.0)
FAULTS = (
    "submit throttled match=job-01",
    "result failed match=job-02",
    "file dead match=job-03",
    "file cut size=1000 match=job-04",
    "status close match=job-05",
)
"""Troubles that a run gets over by itself; job-02 needs two attempts."""

PAID_FOR = Counter({**dict.fromkeys(IDS, 1), "job-02": 2})

A_FEW = tried(0.2)
"""Every example is one or more whole runs."""


async def killed_at_step(bench: Bench, step: int) -> Bench:
    """Run until *step* commits were made, then die on the spot; return what is left."""
    left: list[Bench] = []
    steps = 0

    def count(line: Line) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            left.append(bench.copy())
            line.is_dead = True
            scope.cancel()

    with anyio.CancelScope() as scope:
        await bench.run(JOBS, RUN, on_step=count)
    return left[0] if left else bench


async def killed_at_instant(bench: Bench, instant: float) -> Bench:
    left: list[Bench] = []

    async def kill(context, line: Line) -> None:
        await anyio.sleep(instant)
        left.append(bench.copy())
        line.is_dead = True
        scope.cancel()

    with anyio.CancelScope() as scope:
        await bench.run(JOBS, RUN, meanwhile=kill)
    return left[0] if left else bench


async def stopped_at_instant(bench: Bench, instant: float) -> Bench:
    async def stop(context, line: Line) -> None:
        await anyio.sleep(instant)
        context.stopping.now("stopped by SIGTERM", Exit.TERMINATED)

    await bench.run(JOBS, RUN, meanwhile=stop)
    return bench


def holds_after_a_crash(kill, at: float) -> None:
    async def scenario() -> None:
        bench = await kill(a_bench(*FAULTS, settings=SERVICE), at)

        await bench.run(JOBS, RUN)
        await bench.run(None, RUN)  # once more: nothing is left to do

        doubts = {entry.id for entry in bench.store.entries(State.UNKNOWN)}
        assert set(bench.states) <= {State.SUCCEEDED, State.UNKNOWN}
        assert len(doubts) <= RUN.concurrency, "only what was on the wire may be in doubt"
        paid = Counter(bench.accepted)
        assert all(paid[job_id] <= PAID_FOR[job_id] for job_id in IDS), "something was paid twice"
        assert all(paid[job_id] for job_id in set(IDS) - doubts), "a film out of nowhere"
        assert sorted(bench.shelf.files) == [f"videos/{job_id}.mp4" for job_id in IDS if job_id not in doubts]

        await bench.run(JOBS, RUN, Rerun(retry=frozenset({"unknown"})))
        assert bench.states == {State.SUCCEEDED: len(JOBS)}

    in_virtual_time(scenario)


def test_undisturbed_every_job_is_paid_for_as_often_as_it_needs():
    async def scenario() -> None:
        bench = a_bench(*FAULTS, settings=SERVICE)

        await bench.run(JOBS, RUN)

        assert bench.states == {State.SUCCEEDED: len(JOBS)}
        assert Counter(bench.accepted) == PAID_FOR

    in_virtual_time(scenario)


@given(st.integers(1, 60))
@A_FEW
def test_killed_after_any_commit_and_resumed_nothing_is_paid_twice_nor_forgotten(step):
    holds_after_a_crash(killed_at_step, step)


@given(st.floats(0, 60))
@example(0.25)
@example(0.75)
@A_FEW
def test_killed_at_any_instant_and_resumed_nothing_is_paid_twice_nor_forgotten(instant):
    holds_after_a_crash(killed_at_instant, instant)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=4))
@example([9.5])
@A_FEW
def test_stopped_any_number_of_times_the_ledger_ends_the_same(instants):
    async def scenario() -> None:
        bench = a_bench(*FAULTS, settings=SERVICE)

        for instant in instants:
            await stopped_at_instant(bench, instant)
        await bench.run(JOBS, RUN)

        assert bench.states == {State.SUCCEEDED: len(JOBS)}
        assert (
            Counter(IDS) <= Counter(bench.accepted) <= PAID_FOR
        )  # a lost "failed" may be read as done later
        assert sorted(bench.shelf.files) == [f"videos/{job_id}.mp4" for job_id in IDS]

    in_virtual_time(scenario)
