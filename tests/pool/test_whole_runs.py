"""Runs from the manifest's jobs to the films, undisturbed: bounded, fed lazily, in the right order."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from batchrunner.errors import ErrorCode
from batchrunner.lifecycle import State
from batchrunner.settings import PollSpacing, Rerun, Selection, Settings
from tests.builders import a_job, some_jobs, the
from tests.doubles import QUICK, a_bench

pytestmark = pytest.mark.anyio


async def test_a_dozen_jobs_end_as_films():
    bench = a_bench()

    context = await bench.run(some_jobs(12))

    assert bench.states == {State.SUCCEEDED: 12}
    assert sorted(bench.shelf.files) == [f"videos/job-{number:02d}.mp4" for number in range(12)]
    assert sorted(bench.accepted) == [f"job-{number:02d}" for number in range(12)]
    assert (context.slots.in_use, context.unsaved, context.deferred) == (0, 0, 0)
    assert len(bench.told("succeeded")) == 12


async def test_no_token_goes_to_where_films_lie():
    bench = a_bench()

    await bench.run(some_jobs(2))

    assert bench.service.sight.tokens
    assert not bench.service.sight.tokens_at_files


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_never_more_in_flight_than_allowed(concurrency):
    bench = a_bench()

    await bench.run(some_jobs(12), Settings(concurrency=concurrency))

    assert bench.counters["max_in_flight"] == concurrency
    assert bench.states == {State.SUCCEEDED: 12}


async def test_the_slot_is_free_when_the_service_is_done_although_downloads_hang():
    bench = a_bench("file hang times=always")

    with anyio.move_on_after(200):
        await bench.run(some_jobs(12), Settings(concurrency=4, downloads=1))

    assert len(bench.accepted) == 12
    assert bench.states == {State.READY: 12}


async def test_a_long_backlog_of_results_pauses_submissions():
    bench = a_bench("file hang times=always", settings=replace(QUICK, slots=50))

    with anyio.move_on_after(350):
        await bench.run(some_jobs(200), Settings(concurrency=50, downloads=1))

    assert 100 <= len(bench.accepted) <= 151


async def test_known_requests_get_the_slots_first():
    bench = a_bench()
    await bench.run(some_jobs(4), Settings(submit_only=True))

    await bench.run(some_jobs(8), Settings(concurrency=2))

    first_collected = bench.events.index(bench.told("collecting")[0])
    later_submitted = [event for event in bench.events[first_collected:] if event.name == "submitting"]
    assert bench.events.index(bench.told("collecting")[3]) < bench.events.index(later_submitted[0])
    assert bench.states == {State.SUCCEEDED: 8}
    assert sorted(bench.accepted) == sorted(job.id for job in some_jobs(8))


async def test_earlier_work_counts_against_the_concurrency():
    bench = a_bench(settings=replace(QUICK, service_time_s=500.0))
    await bench.run(some_jobs(3), Settings(submit_only=True))

    await bench.run(some_jobs(6), Settings(concurrency=3))

    assert bench.counters["max_in_flight"] == 3


async def test_submit_only_and_collect_only_are_the_two_halves_of_a_run():
    bench = a_bench()

    await bench.run(some_jobs(5), Settings(submit_only=True))
    halfway = bench.states
    await bench.run(some_jobs(7), Settings(collect_only=True))

    assert halfway == {State.SUBMITTED: 5}
    assert bench.states == {State.SUCCEEDED: 5, State.PENDING: 2}


@pytest.mark.parametrize("limit", [0, 1, 3])
async def test_a_limit_counts_new_submissions(limit):
    bench = a_bench()

    await bench.run(some_jobs(5), Settings(limit=limit, concurrency=2))

    assert len(bench.accepted) == limit
    assert bench.states.get(State.SUCCEEDED, 0) == limit


async def test_what_was_turned_away_does_not_use_up_the_limit():
    bench = a_bench("submit throttled times=2")

    await bench.run(some_jobs(5), Settings(limit=3, concurrency=1))

    assert len(bench.accepted) == 3


async def test_only_and_sample_choose_what_is_submitted_never_what_is_collected():
    bench = a_bench()
    await bench.run(some_jobs(2), Settings(submit_only=True))

    await bench.run(some_jobs(6), Settings(selection=Selection(only=("job-05",))))

    assert sorted(bench.accepted) == ["job-00", "job-01", "job-05"]
    assert bench.states == {State.SUCCEEDED: 3, State.PENDING: 3}


async def test_nothing_is_submitted_after_until():
    bench = a_bench()

    context = await bench.run(some_jobs(6), Settings(concurrency=1, until=50.0))

    assert 2 <= len(bench.accepted) <= 3
    assert bench.states[State.SUCCEEDED] == len(bench.accepted)
    assert context.stopping.reason == "--until has come"
    assert context.stopping.exit_code is None


async def test_the_same_command_again_submits_nothing():
    bench = a_bench()
    await bench.run(some_jobs(4))
    posts = bench.counters["posts"]

    await bench.run(some_jobs(4))

    assert bench.counters["posts"] == posts


async def test_going_on_needs_no_manifest():
    bench = a_bench()
    await bench.run(some_jobs(4), Settings(limit=1))

    await bench.run(None)

    assert bench.states == {State.SUCCEEDED: 4}


async def test_a_film_that_is_missing_is_fetched_again_and_not_paid_again():
    bench = a_bench()
    await bench.run(some_jobs(2))
    del bench.shelf.files["videos/job-01.mp4"]

    await bench.run(None)

    assert sorted(bench.shelf.files) == ["videos/job-00.mp4", "videos/job-01.mp4"]
    assert len(bench.accepted) == 2


async def test_an_edited_row_is_paid_again_and_the_old_film_is_kept():
    bench = a_bench()
    await bench.run([a_job("fox", seed=4)])

    await bench.run([a_job("fox", seed=5)])

    assert sorted(bench.shelf.files) == ["superseded/videos/fox.g1.mp4", "videos/fox.mp4"]
    assert [record.inputs["seed"] for record in bench.service.accepted] == [4, 5]


async def test_an_edit_of_what_is_on_its_way_is_run_once_the_old_one_is_collected():
    bench = a_bench()
    await bench.run([a_job("fox", seed=4)], Settings(submit_only=True))

    await bench.run([a_job("fox", seed=5)])

    assert the(bench.store).state is State.SUCCEEDED
    assert sorted(bench.shelf.files) == ["superseded/videos/fox.g1.mp4", "videos/fox.mp4"]
    assert [record.inputs["seed"] for record in bench.service.accepted] == [4, 5]


async def test_a_redo_makes_another_film_and_keeps_the_old_one():
    bench = a_bench()
    await bench.run(some_jobs(2))

    await bench.run(some_jobs(2), rerun=Rerun(redo=("job-01",)))

    assert bench.accepted.count("job-01") == 2
    assert "superseded/videos/job-01.g1.mp4" in bench.shelf.files


async def test_a_row_that_is_gone_is_collected_but_never_submitted():
    bench = a_bench()
    await bench.run(some_jobs(1), Settings(submit_only=True))
    bench.prepare(some_jobs(3))

    await bench.run(some_jobs(3)[2:])

    assert sorted(bench.accepted) == ["job-00", "job-02"]
    assert sorted(bench.shelf.files) == ["videos/job-00.mp4", "videos/job-02.mp4"]


async def test_every_output_of_a_job_is_saved():
    shape = replace(QUICK, shape="videos", outputs=3)
    bench = a_bench(settings=shape)

    await bench.run(some_jobs(1))

    assert sorted(bench.shelf.files) == ["videos/job-00.2.mp4", "videos/job-00.3.mp4", "videos/job-00.mp4"]


async def test_looks_are_learnt_to_be_sparse_where_no_end_is_likely():
    bench = a_bench(settings=replace(QUICK, service_time_s=600.0))

    await bench.run(some_jobs(1), Settings(poll_interval_s=10.0, concurrency=1))

    assert bench.counters["polls"] < 600 / 10 / 2


async def test_the_last_jobs_are_looked_at_more_often_than_those_others_wait_for():
    many, few = (a_bench(settings=replace(QUICK, service_time_s=600.0)) for _ in range(2))

    await many.run(some_jobs(1), Settings(poll_interval_s=1.0, concurrency=1))
    await few.run(some_jobs(1), Settings(poll_interval_s=1.0, concurrency=16))

    assert few.counters["polls"] > 2 * many.counters["polls"]


async def test_looks_can_be_kept_to_a_fixed_interval():
    bench = a_bench(settings=replace(QUICK, service_time_s=600.0))

    await bench.run(some_jobs(1), Settings(poll_interval_s=10.0, poll_spacing=PollSpacing.FIXED))

    assert 600 / 12.6 <= bench.counters["polls"] <= 600 / 10 + 1


async def test_a_nearly_full_disk_stops_submissions_and_collects_what_is_on_its_way():
    bench = a_bench()
    await bench.run(some_jobs(2), Settings(submit_only=True))
    bench.shelf.free = 1 << 20

    context = await bench.run(some_jobs(5))

    assert len(bench.accepted) == 2
    assert bench.states == {State.SUCCEEDED: 2, State.PENDING: 3}
    assert context.stopping.error is not None
    assert context.stopping.exit_code == 74


async def test_a_batch_that_only_fails_is_halted():
    bench = a_bench("submit refused times=always")

    context = await bench.run(some_jobs(30), Settings(concurrency=1))

    assert bench.states == {State.FAILED: 20, State.PENDING: 10}
    assert "the first 20 all failed" in context.stopping.reason
    assert bench.store.errors() == {ErrorCode.REFUSED: 20}


async def test_jobs_beyond_the_ledgers_first_page_are_taken_up_too():
    bench = a_bench()

    await bench.run(some_jobs(201), Settings(concurrency=50))

    assert bench.states == {State.SUCCEEDED: 201}
