"""A lost answer is never sent again; what ails the service is the run's weather, not a job's fault."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from msgspec.structs import replace

from batchrunner.client import MAX_REQUESTS
from batchrunner.errors import ErrorCode, Exit, ServiceAway
from batchrunner.lifecycle import State
from batchrunner.settings import OnUnknown, Rerun, Settings
from tests.builders import some_jobs, the
from tests.doubles import QUICK, a_bench

pytestmark = pytest.mark.anyio

LOST = ["close", "reset", "hang", "cut", "no-id", "odd-id", "html", "answer status=500 body=html",
        "answer status=502", "answer status=504 body=empty", "answer status=408", "redirect"]  # fmt: skip
TAKES_A_FLAG = ("close", "reset", "hang", "html", "answer", "redirect")


def accepted_yes(fault: str) -> str:
    """The same fault, on a submission that is accepted (and paid) before it strikes."""
    return f"{fault} accepted=yes" if fault.startswith(TAKES_A_FLAG) else fault


def posts_sent(bench) -> list[tuple[str, float]]:
    return [(event.id, event.at) for event in bench.told("submitting")]


# ── doubts ──


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_answer_ends_unknown_and_is_not_submitted_twice(fault):
    bench = a_bench(f"submit {accepted_yes(fault)} match=job-02")

    await bench.run(some_jobs(5))

    assert bench.states == {State.SUCCEEDED: 4, State.UNKNOWN: 1}
    assert the(bench.store, "job-02").state is State.UNKNOWN
    assert bench.store.errors() == {ErrorCode.IN_DOUBT: 1}
    assert bench.accepted.count("job-02") == 1


async def test_the_same_command_again_holds_the_doubt():
    bench = a_bench("submit close accepted=yes match=job-02")
    await bench.run(some_jobs(5))

    await bench.run(some_jobs(5))

    assert bench.states == {State.SUCCEEDED: 4, State.UNKNOWN: 1}
    assert bench.accepted.count("job-02") == 1


async def test_a_doubt_is_submitted_again_only_on_the_users_word():
    bench = a_bench("submit close accepted=no match=job-02")
    await bench.run(some_jobs(5))

    await bench.run(some_jobs(5), rerun=Rerun(retry=frozenset({"unknown"})))

    assert bench.states == {State.SUCCEEDED: 5}
    assert bench.accepted.count("job-02") == 1


async def test_who_accepts_the_risk_has_doubts_submitted_again():
    bench = a_bench("submit close accepted=yes match=job-02")

    await bench.run(some_jobs(5), Settings(on_unknown=OnUnknown.RESUBMIT))

    assert bench.states == {State.SUCCEEDED: 5}
    assert bench.accepted.count("job-02") == 2


async def test_after_a_doubt_a_free_read_comes_first_then_one_canary_then_the_rest():
    bench = a_bench(
        "submit hang accepted=yes match=job-00",
        "model late seconds=10 skip=1",
        settings=replace(QUICK, latency_s=1.0),
    )

    await bench.run(some_jobs(6), Settings(concurrency=1))

    (doubt,) = bench.told("unknown")
    after = [at for _, at in posts_sent(bench) if at >= doubt.at]
    assert doubt.at == pytest.approx(91.0, abs=2)
    assert after[0] >= doubt.at + 10  # the probe took that long
    assert after[1] > after[0]
    assert bench.counters["lookups"] == 2  # the preflight and the probe


async def test_a_burst_of_lost_answers_is_bounded_by_what_was_on_the_wire():
    bench = a_bench("submit reset accepted=yes times=always", settings=replace(QUICK, latency_s=1.0))

    context = await bench.run(some_jobs(200), Settings(concurrency=100, max_outage_s=60.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert bench.states[State.UNKNOWN] <= MAX_REQUESTS + 10  # and a few canaries
    assert len(set(bench.accepted)) == len(bench.accepted)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_doubts_without_an_acceptance_are_an_outage_that_ends_the_run(concurrency):
    bench = a_bench("submit close times=always")

    context = await bench.run(some_jobs(200), Settings(concurrency=concurrency, max_outage_s=300.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert isinstance(context.stopping.error, ServiceAway)
    first = bench.told("unknown")[0].at
    assert anyio.current_time() == pytest.approx(first + 300.0, abs=1)
    assert bench.states[State.UNKNOWN] < 20  # canaries, with growing pauses
    assert bench.states[State.PENDING] == 200 - bench.states[State.UNKNOWN]


async def test_the_canaries_of_an_outage_go_one_at_a_time_with_growing_pauses():
    bench = a_bench("submit close times=always")

    await bench.run(some_jobs(200), Settings(concurrency=8, max_outage_s=300.0))

    instants = sorted(at for _, at in posts_sent(bench))[8:]
    gaps = [later - earlier for earlier, later in pairwise(instants)]
    assert all(gap > 0 for gap in gaps)
    assert gaps[-1] > 20


# ── the service is away ──


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_service_that_is_away_from_the_start_ends_the_run_with_every_job_as_it_was(concurrency):
    bench = a_bench("any away since=0")

    context = await bench.run(some_jobs(5), Settings(concurrency=concurrency, max_outage_s=120.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert anyio.current_time() == pytest.approx(120.0, abs=5)
    assert bench.states == {State.PENDING: 5}


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_service_that_goes_away_half_way_ends_the_run_with_every_job_as_it_was(concurrency):
    bench = a_bench("any away since=30")

    context = await bench.run(some_jobs(9), Settings(concurrency=concurrency, max_outage_s=120.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert anyio.current_time() <= 30 + 120 + 40
    assert State.FAILED not in bench.states
    assert State.UNKNOWN not in bench.states


async def test_an_outage_that_ends_in_time_costs_nothing_but_time():
    bench = a_bench("any away since=10 until=200")

    context = await bench.run(some_jobs(9), Settings(concurrency=4))

    assert context.stopping.exit_code is None
    assert bench.states == {State.SUCCEEDED: 9}
    assert sorted(bench.accepted) == [job.id for job in some_jobs(9)]
    assert all(the(bench.store, job.id).attempts == 1 for job in some_jobs(9))


async def test_collecting_ends_with_the_outage_too():
    bench = a_bench("any away since=5")
    await bench.run(some_jobs(3), Settings(submit_only=True))

    context = await bench.run(None, Settings(collect_only=True, max_outage_s=60.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert bench.states == {State.SUBMITTED: 3}


@pytest.mark.parametrize("fault", ["throttled", "unavailable"])
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_service_that_takes_nothing_at_all_ends_the_run_and_no_row_is_blamed(fault, concurrency):
    bench = a_bench(f"submit {fault} times=always")

    context = await bench.run(some_jobs(5), Settings(concurrency=concurrency, max_outage_s=300.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert anyio.current_time() == pytest.approx(300.0, abs=60)
    assert bench.states == {State.PENDING: 5}


# ── throttling ──


@pytest.mark.parametrize("fault", ["throttled", "unavailable"])
async def test_retry_after_pauses_everybody_and_spends_no_attempt(fault):
    bench = a_bench(f"submit {fault} retry-after=30 match=job-03")

    await bench.run(some_jobs(9), Settings(concurrency=4, max_attempts=1))

    (pause,) = bench.told("paused")
    assert min(at for _, at in posts_sent(bench) if at > pause.at) >= pause.at + 30
    assert bench.states == {State.SUCCEEDED: 9}
    assert all(the(bench.store, job.id).attempts == 1 for job in some_jobs(9))
    assert bench.counters["posts"] == 10


async def test_throttled_looks_pause_the_looks_too():
    bench = a_bench("status throttled retry-after=60")

    await bench.run(some_jobs(1), Settings(poll_interval_s=1.0))

    assert bench.counters["polls"] <= 1 + 2
    assert bench.states == {State.SUCCEEDED: 1}


@pytest.mark.parametrize("fault", ["throttled", "unavailable"])
@pytest.mark.parametrize("patience", ["", "retry-after=60", "retry-after=86400"])
async def test_looks_that_are_only_ever_put_off_end_in_an_outage(fault, patience):
    bench = a_bench(f"status {fault} {patience} times=always")
    await bench.run(some_jobs(3), Settings(submit_only=True))

    context = await bench.run(None, Settings(collect_only=True, max_outage_s=300.0))

    assert context.stopping.exit_code is Exit.OUTAGE
    assert anyio.current_time() == pytest.approx(300.0, abs=20)
    assert bench.states == {State.SUBMITTED: 3}


async def test_a_pause_that_is_longer_than_a_jobs_time_does_not_outlast_it():
    bench = a_bench("status throttled retry-after=3600")

    await bench.run(some_jobs(1), Settings(job_timeout_s=120.0, max_outage_s=7200.0))

    assert anyio.current_time() == pytest.approx(120.0, abs=5)
    assert bench.states == {State.SUBMITTED: 1}
    assert bench.store.errors() == {ErrorCode.JOB_TIMEOUT: 1}


async def test_fewer_are_in_flight_after_throttling():
    bench = a_bench("submit throttled skip=8 times=1", settings=replace(QUICK, service_time_s=200.0))

    await bench.run(some_jobs(20), Settings(concurrency=16))

    assert bench.counters["max_in_flight"] < 16
    assert bench.states == {State.SUCCEEDED: 20}


@pytest.mark.parametrize("fault", ["throttled", "unavailable"])
async def test_a_row_that_is_always_turned_away_fails_alone(fault):
    bench = a_bench(f"submit {fault} match=job-02 times=always")

    context = await bench.run(some_jobs(12), Settings(concurrency=2))

    assert bench.states == {State.SUCCEEDED: 11, State.FAILED: 1}
    assert bench.store.errors() == {ErrorCode.REFUSED: 1}
    assert bench.counters["posts"] - len(bench.accepted) >= 10
    assert context.stopping.exit_code is None


async def test_an_unknown_model_in_the_catalogue_only_warns():
    bench = a_bench("model gone")

    await bench.run(some_jobs(2))

    assert "does not confirm" in bench.told("warning")[0].data["message"]
    assert bench.states == {State.SUCCEEDED: 2}
