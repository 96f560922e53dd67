"""How a run ends early: drained, at once, or for its account; the next run goes on where it was."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from batchrunner.errors import AccountRefused, Exit
from batchrunner.lifecycle import State
from batchrunner.settings import OnInterrupt, Settings
from tests.builders import some_jobs, the
from tests.doubles import QUICK, a_bench

pytestmark = pytest.mark.anyio

SLOW_ANSWERS = replace(QUICK, latency_s=3.0)

REFUSALS = ["no-balance", "bad-token", "bad-token status=200", "bad-token body=code", "answer status=402",
            "answer status=401 body=message message=no", "answer status=403 body=html"]  # fmt: skip


def after(seconds: float, act):
    """Return an interference that acts once, so many seconds after the start of its run."""

    async def meanwhile(context, line):
        await anyio.sleep(seconds)
        act(context)

    return meanwhile


def drain(context) -> None:
    context.stopping.interrupted = True
    context.stopping.drain("stopped by Ctrl-C")


def stop_now(context) -> None:
    context.stopping.interrupted = True
    context.stopping.now("stopped by SIGTERM", Exit.TERMINATED)


# ── the account ──


@pytest.mark.parametrize("fault", REFUSALS)
async def test_an_account_refused_at_the_preflight_sends_nothing(fault):
    bench = a_bench(f"model {fault}")

    context = await bench.run(some_jobs(5))

    assert context.stopping.exit_code is Exit.ACCOUNT
    assert bench.counters["posts"] == 0
    assert bench.states == {State.PENDING: 5}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_an_account_refused_at_a_submission_stops_at_once_and_blames_no_job(fault):
    bench = a_bench(f"submit {fault} skip=3 times=always")

    context = await bench.run(some_jobs(50), Settings(concurrency=2))

    assert context.stopping.exit_code is Exit.ACCOUNT
    assert isinstance(context.stopping.error, AccountRefused)
    assert bench.counters["posts"] <= 3 + 2
    assert set(bench.states) <= {State.PENDING, State.SUBMITTED, State.SUCCEEDED, State.READY}
    assert bench.store.errors() == {}


async def test_submissions_on_the_wire_are_awaited_when_the_account_is_refused():
    bench = a_bench("submit no-balance match=job-00", settings=replace(QUICK, latency_s=1.0))

    await bench.run(some_jobs(4), Settings(concurrency=4))

    assert bench.states == {State.PENDING: 1, State.SUBMITTED: 3}
    assert len(bench.accepted) == 3


async def test_somebody_elses_request_stops_the_run():
    bench = a_bench("status foreign match=job-01 times=always")

    context = await bench.run(some_jobs(4))

    assert context.stopping.exit_code is Exit.ACCOUNT
    assert "job-01" in context.stopping.reason
    assert State.FAILED not in bench.states


async def test_with_a_new_token_the_same_command_goes_on():
    bench = a_bench("submit bad-token skip=2")
    await bench.run(some_jobs(6), Settings(concurrency=2))

    await bench.run(some_jobs(6))

    assert bench.states == {State.SUCCEEDED: 6}
    assert len(bench.accepted) == 6


# ── draining ──


async def test_draining_submits_nothing_new_and_finishes_what_is_in_flight():
    bench = a_bench()

    context = await bench.run(some_jobs(12), Settings(concurrency=3), meanwhile=after(5.0, drain))

    assert bench.states == {State.SUCCEEDED: 3, State.PENDING: 9}
    assert (context.stopping.reason, context.stopping.exit_code) == ("stopped by Ctrl-C", None)


async def test_draining_ends_a_wait_for_better_weather():
    bench = a_bench("submit throttled retry-after=3000")

    await bench.run(some_jobs(3), Settings(concurrency=1), meanwhile=after(10.0, drain))

    assert anyio.current_time() < 60
    assert bench.states == {State.PENDING: 3}


async def test_a_generation_that_fails_while_draining_is_left_for_the_next_run():
    bench = a_bench("result failed match=job-00 times=1")

    await bench.run(some_jobs(2), Settings(concurrency=1), meanwhile=after(5.0, drain))

    assert bench.states == {State.PENDING: 2}
    assert bench.accepted == ["job-00"]


async def test_draining_takes_back_what_still_waits_in_the_queue_where_that_is_wanted():
    bench = a_bench(settings=replace(QUICK, slots=1, service_time_s=50.0))
    wanted = Settings(concurrency=3, on_interrupt=OnInterrupt.CANCEL_QUEUED)

    await bench.run(some_jobs(5), wanted, meanwhile=after(5.0, drain))

    assert bench.states == {State.SUCCEEDED: 1, State.PENDING: 4}
    assert len(bench.told("taken_back")) == 2


# ── at once ──


async def test_stopping_at_once_keeps_every_request_id_for_the_next_run():
    bench = a_bench()

    context = await bench.run(some_jobs(6), Settings(concurrency=3), meanwhile=after(5.0, stop_now))
    states, ids = bench.states, [the(bench.store, f"job-0{n}").request_id for n in range(3)]
    await bench.run(None)

    assert context.stopping.exit_code is Exit.TERMINATED
    assert states == {State.SUBMITTED: 3, State.PENDING: 3}
    assert all(ids)
    assert bench.states == {State.SUCCEEDED: 6}
    assert len(bench.accepted) == 6


async def test_a_submission_on_the_wire_gets_a_few_seconds_to_be_answered():
    bench = a_bench(settings=SLOW_ANSWERS)

    await bench.run(some_jobs(1), meanwhile=after(4.0, stop_now))

    assert bench.told("submitting")[0].at < 4.0
    assert bench.states == {State.SUBMITTED: 1}
    assert anyio.current_time() == pytest.approx(6.0, abs=0.1)


async def test_a_submission_that_is_not_answered_by_then_is_a_doubt():
    bench = a_bench("submit late seconds=60", settings=QUICK)

    await bench.run(some_jobs(3), Settings(concurrency=1), meanwhile=after(10.0, stop_now))

    assert anyio.current_time() == pytest.approx(15.0, abs=0.1)
    assert bench.states == {State.UNKNOWN: 1, State.PENDING: 2}


async def test_a_second_signal_shortens_the_wait_after_a_refused_account():
    bench = a_bench("submit late seconds=80 match=job-00", "submit no-balance match=job-01")

    await bench.run(some_jobs(2), Settings(concurrency=2), meanwhile=after(10.0, stop_now))

    assert anyio.current_time() == pytest.approx(15.0, abs=0.1)
    assert bench.states == {State.UNKNOWN: 1, State.PENDING: 1}


async def test_a_run_that_was_stopped_while_downloading_fetches_the_rest_next_time():
    bench = a_bench("file trickle rate=10")

    await bench.run(some_jobs(1), meanwhile=after(40.0, stop_now))
    states, files = bench.states, dict(bench.shelf.files)
    await bench.run(None)

    assert (states, files) == ({State.READY: 1}, {})
    assert bench.states == {State.SUCCEEDED: 1}
