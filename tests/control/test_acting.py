"""What commands do to a run: they wait or go on, limits move, and nothing is paid unasked."""

from __future__ import annotations

import anyio
import pytest

from batchrunner.control.acting import act
from batchrunner.control.protocol import Cancel, Pause, Resume, Set, Status
from batchrunner.errors import Exit
from batchrunner.lifecycle import State
from batchrunner.settings import Settings
from tests.builders import some_jobs
from tests.doubles import a_bench

pytestmark = pytest.mark.anyio


def at(*steps):
    """Return an interference that gives each command at its second, and the list of its answers."""
    answers = []

    async def meanwhile(context, line):
        for second, command in steps:
            await anyio.sleep_until(second)
            answers.append(await act(context, command))

    return meanwhile, answers


# ── pause ──


async def test_a_paused_run_collects_what_is_in_flight_and_submits_nothing_until_resumed():
    bench = a_bench()
    seen = []

    async def meanwhile(context, line):
        await anyio.sleep(5)
        await act(context, Pause())
        await anyio.sleep(600)
        seen.append((len(bench.accepted), bench.states))
        await act(context, Resume())

    await bench.run(some_jobs(6), Settings(concurrency=2), meanwhile=meanwhile)

    assert seen == [(2, {State.PENDING: 4, State.SUCCEEDED: 2})]
    assert bench.states == {State.SUCCEEDED: 6}
    assert sorted(bench.accepted) == sorted(set(bench.accepted))


async def test_paused_between_leave_and_post_the_intent_is_taken_back():
    bench = a_bench()
    context_of = []

    async def meanwhile(context, line):
        context_of.append(context)

    def on_step(line):
        if context_of and bench.states.get(State.SUBMITTING):
            context_of[0].hold(anyio.current_time())
            context_of[0].stopping.drain("the test has seen enough")

    await bench.run(some_jobs(1), meanwhile=meanwhile, on_step=on_step)

    assert bench.accepted == []
    assert bench.states == {State.PENDING: 1}


async def test_a_drain_ends_a_paused_run():
    bench = a_bench()

    async def meanwhile(context, line):
        await act(context, Pause())
        await anyio.sleep(50)
        context.stopping.drain("stopped by Ctrl-C")

    context = await bench.run(some_jobs(3), meanwhile=meanwhile)

    assert context.stopping.reason == "stopped by Ctrl-C"
    assert bench.counters["accepted"] == 0


async def test_time_held_by_hand_is_no_outage():
    bench = a_bench("submit throttled times=2")
    meanwhile, _ = at((0.5, Pause()), (4000, Resume()))

    context = await bench.run(some_jobs(2), Settings(max_outage_s=60.0), meanwhile=meanwhile)

    assert context.stopping.exit_code is None
    assert bench.states == {State.SUCCEEDED: 2}


async def test_a_pause_is_told_as_weather_and_so_is_its_end():
    bench = a_bench()
    meanwhile, _ = at((5, Pause()), (50, Resume()))

    await bench.run(some_jobs(3), Settings(concurrency=1), meanwhile=meanwhile)

    skies = [event.data["sky"] for event in bench.told("weather")]
    assert [sky for sky in skies if sky in ("fair", "held")] == ["fair", "held", "fair"]


# ── set ──


async def test_more_at_once_take_effect_at_once():
    bench = a_bench()
    meanwhile, answers = at((5, Set(concurrency=6)))

    await bench.run(some_jobs(7), Settings(concurrency=1), meanwhile=meanwhile)

    assert bench.counters["max_in_flight"] == 6
    assert answers[0]["concurrency"] == 6


async def test_fewer_at_once_take_effect_as_places_come_back():
    bench = a_bench()
    seen = []

    async def meanwhile(context, line):
        await anyio.sleep(5)
        await act(context, Set(concurrency=1))
        await anyio.sleep(25)
        for _ in range(5):
            seen.append(context.slots.in_use)
            await anyio.sleep(10)

    await bench.run(some_jobs(12), Settings(concurrency=4), meanwhile=meanwhile)

    assert max(seen) == 1
    assert bench.states == {State.SUCCEEDED: 12}


async def test_until_may_be_set_and_called_off():
    bench = a_bench()
    meanwhile, _ = at((5, Set(until=30.0)), (10, Set(until=float("inf"))), (15, Set(until=50.0)))

    context = await bench.run(some_jobs(9), Settings(concurrency=1), meanwhile=meanwhile)

    assert context.stopping.reason == "--until has come"
    assert len(bench.accepted) == 3


async def test_looks_and_downloads_may_be_set():
    bench = a_bench()
    meanwhile, answers = at((5, Set(downloads=1, poll_interval_s=0.5)))

    context = await bench.run(some_jobs(3), meanwhile=meanwhile)

    assert (answers[0]["downloads"], answers[0]["poll_interval_s"]) == (1, 0.5)
    assert context.download_slots.total_tokens == 1
    assert bench.states == {State.SUCCEEDED: 3}


# ── cancel ──


async def test_what_was_never_sent_is_cancelled_and_never_paid():
    bench = a_bench()
    meanwhile, answers = at((5, Cancel(("job-04", "job-05"))))

    await bench.run(some_jobs(6), Settings(concurrency=1), meanwhile=meanwhile)

    assert answers[0]["never_sent"] == ["job-04", "job-05"]
    assert bench.states == {State.SUCCEEDED: 4, State.CANCELLED: 2}
    assert not {"job-04", "job-05"} & set(bench.accepted)
    assert [event.id for event in bench.told("cancelled")] == ["job-04", "job-05"]
    assert bench.told("internal_error") == []


async def test_what_waits_in_the_services_queue_is_cancelled_there():
    bench = a_bench()
    meanwhile, answers = at((5, Cancel(("job-*",))))

    await bench.run(some_jobs(12), Settings(concurrency=12), meanwhile=meanwhile)

    assert (len(answers[0]["cancelled"]), len(answers[0]["runs_on"])) == (4, 8)
    assert bench.states == {State.SUCCEEDED: 8, State.CANCELLED: 4}
    assert {event.id for event in bench.told("cancelled")} == set(answers[0]["cancelled"])


async def test_what_has_begun_runs_on_and_what_is_done_is_said_to_be():
    bench = a_bench()
    meanwhile, answers = at((5, Cancel(("job-00",))), (60, Cancel(("job-00", "nobody"))))

    await bench.run(some_jobs(4), Settings(concurrency=1), meanwhile=meanwhile)

    assert answers[0]["runs_on"] == ["job-00"]
    assert answers[1]["not_open"] == [{"id": "job-00", "state": "succeeded"}]
    assert bench.states == {State.SUCCEEDED: 4}


async def test_a_cancelled_job_leaves_its_place_under_the_limit_to_another():
    bench = a_bench()
    meanwhile, _ = at((5, Cancel(("job-01",))))

    await bench.run(some_jobs(5), Settings(concurrency=1, limit=2), meanwhile=meanwhile)

    assert bench.accepted == ["job-00", "job-02"]


# ── status ──


async def test_status_says_how_the_run_stands():
    bench = a_bench()
    meanwhile, answers = at((5, Status()), (6, Pause()), (7, Status()), (8, Resume()))

    context = await bench.run(some_jobs(4), Settings(concurrency=2), meanwhile=meanwhile)

    before, _, held, _ = answers
    assert (before["phase"], before["paused"], before["in_flight"], before["limit"]) == (
        "running",
        False,
        2,
        2,
    )
    assert held["paused"] is True
    assert context.stopping.exit_code is not Exit.OUTAGE
