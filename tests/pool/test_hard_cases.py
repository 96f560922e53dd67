"""What went wrong once, or nearly: each of these would cost money, a result, or a night."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from batchrunner.events import RunEvent
from batchrunner.ledger import LedgerWriter, Store
from batchrunner.lifecycle import State
from batchrunner.pool import Context
from batchrunner.settings import OnUnknown, Rerun, Selection, Settings
from batchrunner.simulator import Shape
from batchrunner.simulator.wire import error_answer
from tests.builders import a_job, some_jobs
from tests.doubles import QUICK, Line, a_bench

pytestmark = pytest.mark.anyio

SLOW = replace(QUICK, latency_s=10.0)


async def drain_after(seconds: float, context: Context) -> None:
    await anyio.sleep(seconds)
    context.stopping.drain("enough")


async def test_nothing_is_submitted_after_a_stop_however_many_wait_at_the_gate():
    bench = a_bench(settings=SLOW)
    posts_at_the_stop = 0

    async def stop(context: Context, line: Line) -> None:
        nonlocal posts_at_the_stop
        await drain_after(15.0, context)
        posts_at_the_stop = bench.counters["posts"]

    await bench.run(some_jobs(100), Settings(concurrency=100), meanwhile=stop)

    assert 0 < posts_at_the_stop == bench.counters["posts"] < 100


async def test_a_bare_404_on_the_way_loses_no_paid_job():
    bench = a_bench("status answer status=404 body=html times=20")

    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 3}


async def test_a_redo_puts_back_only_what_this_run_may_submit():
    bench = a_bench()
    await bench.run(some_jobs(10))

    await bench.run(some_jobs(10), Settings(selection=Selection(sample=2)), Rerun(redo=("*",)))
    await bench.run(some_jobs(10))

    assert len(bench.accepted) == 12
    assert bench.states == {State.SUCCEEDED: 10}


async def test_doubts_outside_the_selection_stay_held():
    bench = a_bench("submit close accepted=yes times=1")
    await bench.run(some_jobs(1))

    nothing = Selection(only=("nothing",))
    await bench.run(some_jobs(1), Settings(selection=nothing, on_unknown=OnUnknown.RESUBMIT))
    await bench.run(some_jobs(1))

    assert bench.states == {State.UNKNOWN: 1}
    assert len(bench.accepted) == 1


async def test_superseded_films_whose_names_meet_are_both_kept():
    bench = a_bench()
    await bench.run([a_job("fox"), a_job("Fox", seed=1)])

    again = [a_job("fox", seed=2), a_job("Fox", seed=3)]
    await bench.run(again)

    kept = [file for file in bench.shelf.files if file.startswith("superseded/")]
    assert len({file.casefold() for file in kept}) == 2
    assert bench.states == {State.SUCCEEDED: 2}


async def test_the_other_outputs_are_fetched_while_one_keeps_failing():
    bench = a_bench(
        "file html times=6",
        settings=replace(QUICK, outputs=3, shape=Shape.VIDEOS),
    )

    await bench.run(some_jobs(1), Settings(downloads=1))

    assert len(bench.shelf.files) == 2
    assert bench.states == {State.READY: 1}


async def test_healthy_rows_do_not_fail_where_the_service_takes_one_at_a_time():
    bench = a_bench()
    full = bench.service.handle

    def one_at_a_time(request, now):  # a service that answers 429 above one job at once
        busy = [record for record in bench.service.accepted if record.end_at > now]
        if request.method == "POST" and "/v1/models/" in request.path and busy:
            return error_answer(429, 429001, "too many at once")
        return full(request, now)

    bench.service.handle = one_at_a_time  # type: ignore[method-assign]
    await bench.run(some_jobs(30), Settings(concurrency=8))

    assert bench.states == {State.SUCCEEDED: 30}


async def test_a_wall_clock_set_back_makes_nobody_wait_for_it():
    bench = a_bench("submit throttled times=1")
    began: float | None = None

    async def set_back(context: Context, line: Line) -> None:
        nonlocal began
        began = anyio.current_time()
        await anyio.sleep(0.2)
        clock = context.wall_clock
        context.wall_clock = lambda: clock() - 86_400

    await bench.run(some_jobs(2), Settings(concurrency=1), meanwhile=set_back)

    assert bench.states == {State.SUCCEEDED: 2}
    assert began is not None
    assert anyio.current_time() - began < 600


async def test_a_listener_that_fails_costs_nothing(caplog):
    bench = a_bench("submit throttled times=2")

    class Deaf(list[RunEvent]):
        def append(self, event: RunEvent) -> None:
            raise RuntimeError("no")

    bench.events = Deaf()
    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 3}
    assert "a listener failed" in caplog.text


class LateIntents(LedgerWriter):
    """A disk on which an intent takes its time, from the second one on."""

    def __init__(self, store: Store, seconds: float) -> None:
        super().__init__(store, in_thread=False)
        self._seconds = seconds
        self._intents = 0

    async def do(self, step, *, patiently=False):
        result = await super().do(step)
        if getattr(step, "func", None) is Store.intend:
            self._intents += 1
            if self._intents > 1:
                await anyio.sleep(self._seconds)
        return result


@pytest.mark.parametrize("then", ["a doubt", "a stop"])
async def test_what_happens_while_the_intent_is_written_still_keeps_the_submission_back(then):
    bench = a_bench(*(["submit close times=1"] if then == "a doubt" else []))
    at_the_time: list[int] = []

    async def watch(context: Context, line: Line) -> None:
        context.ledger = LateIntents(bench.store, 2.0)
        await anyio.sleep(1.0)
        if then == "a stop":
            context.stopping.drain("enough")
        at_the_time.append(bench.counters["posts"])
        await anyio.sleep(1.5)
        at_the_time.append(bench.counters["posts"])

    await bench.run(some_jobs(2), Settings(concurrency=2), meanwhile=watch)

    assert at_the_time[0] == 1
    if then == "a stop":
        assert bench.counters["posts"] == 1
        assert bench.states == {State.SUCCEEDED: 1, State.PENDING: 1}
    else:
        assert bench.counters["lookups"] == 2  # the preflight, and the sign of life before the second
        assert bench.states == {State.SUCCEEDED: 1, State.UNKNOWN: 1}
