"""What goes wrong with one job: which is tried again, which is believed, which stays for the next run."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from batchrunner.errors import ErrorCode
from batchrunner.lifecycle import State
from batchrunner.settings import Settings
from tests.builders import some_jobs, the
from tests.doubles import QUICK, a_bench

pytestmark = pytest.mark.anyio


def error_of(bench, job_id: str = "job-01") -> str:
    return bench.store.connection.execute("SELECT error_code FROM jobs WHERE id = ?", (job_id,)).fetchone()[0]


# ── the generation ──


@pytest.mark.parametrize("max_attempts", [1, 3])
async def test_a_generation_that_always_fails_is_tried_so_often_and_then_failed(max_attempts):
    bench = a_bench("result failed match=job-01 times=always")

    await bench.run(some_jobs(3), Settings(max_attempts=max_attempts))

    assert bench.states == {State.SUCCEEDED: 2, State.FAILED: 1}
    assert bench.accepted.count("job-01") == max_attempts
    assert error_of(bench) == ErrorCode.GENERATION_FAILED


async def test_a_generation_that_fails_once_is_tried_again():
    bench = a_bench("result failed match=job-01 times=1")

    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 3}
    assert bench.accepted.count("job-01") == 2
    assert error_of(bench) is None


async def test_what_moderation_stopped_is_not_tried_again():
    bench = a_bench("result moderated match=job-01 times=always")

    await bench.run(some_jobs(3))

    assert bench.accepted.count("job-01") == 1
    assert error_of(bench) == ErrorCode.MODERATED


async def test_what_was_refused_is_not_tried_again():
    bench = a_bench("submit refused message='text is too long' match=job-01 times=always")

    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 2, State.FAILED: 1}
    assert bench.counters["posts"] == 3
    assert error_of(bench) == ErrorCode.REFUSED


async def test_what_was_cancelled_at_the_service_is_cancelled():
    bench = a_bench("status cancelled match=job-01 times=always")

    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 2, State.CANCELLED: 1}
    assert error_of(bench) == ErrorCode.CANCELLED_REMOTELY


# ── looks ──


async def test_a_job_that_takes_too_long_frees_its_slot_keeps_its_id_and_is_collected_by_the_next_run():
    bench = a_bench(settings=replace(QUICK, service_time_s=1000.0))

    await bench.run(some_jobs(2), Settings(concurrency=1, job_timeout_s=100.0))
    states, ids = bench.states, [the(bench.store, job.id).request_id for job in some_jobs(2)]
    await bench.run(some_jobs(2))

    assert states == {State.SUBMITTED: 2}
    assert all(ids)
    assert [event.data["error"]["code"] for event in bench.told("job_timeout")] == ["job_timeout"] * 2
    assert bench.states == {State.SUCCEEDED: 2}
    assert len(bench.accepted) == 2


@pytest.mark.parametrize(
    "fault",
    ["status answer status=500 times=20", "status hang times=3", "status html times=5", "status cut times=5",
     "status close times=5", "status word word=paused times=20", "status upper times=always",
     "result answer status=502 times=5", "result not-ready times=5", "result word word=in_progress times=5",
     "status gone times=4", "result gone times=3", "result no-output times=4"],
)  # fmt: skip
async def test_no_odd_look_fails_a_job_by_itself(fault):
    bench = a_bench(fault)

    await bench.run(some_jobs(1))

    assert bench.states == {State.SUCCEEDED: 1}
    assert len(bench.accepted) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [("status gone", "unknown to the service"), ("result no-output", "finished without an output")],
)
async def test_a_bad_verdict_is_told_once_before_it_is_believed(fault, words):
    bench = a_bench(f"{fault} times=always")

    await bench.run(some_jobs(1))

    assert [event.data["message"] for event in bench.told("unconfirmed")] == [words]
    assert not bench.told("confirmed_running")


async def test_a_request_that_is_there_after_all_is_told_to_run():
    bench = a_bench("status gone times=3", settings=replace(QUICK, service_time_s=600.0))

    await bench.run(some_jobs(1))

    told = [event.name for event in bench.events if event.name in ("unconfirmed", "confirmed_running")]
    assert told == ["unconfirmed", "confirmed_running"]
    assert bench.states == {State.SUCCEEDED: 1}


async def test_a_lost_result_is_believed_only_after_repeated_looks():
    bench = a_bench("status gone times=always")

    await bench.run(some_jobs(1))

    assert bench.counters["polls"] >= 5
    assert anyio.current_time() >= 120
    assert error_of(bench, "job-00") == ErrorCode.RESULT_LOST


async def test_a_result_without_output_is_believed_only_after_repeated_looks():
    bench = a_bench("result no-output times=always")

    await bench.run(some_jobs(1))

    assert bench.counters["results"] >= 5
    assert anyio.current_time() >= 20 + 60
    assert error_of(bench, "job-00") == ErrorCode.NO_OUTPUT
    assert bench.accepted == ["job-00"]


async def test_looks_that_are_doubted_hold_no_slot():
    bench = a_bench("status gone match=job-00 times=always")

    await bench.run(some_jobs(2), Settings(concurrency=1))

    second = next(event for event in bench.told("submitted") if event.id == "job-01")
    assert second.at < 60


# ── downloads ──


@pytest.mark.parametrize(
    "fault",
    ["dead", "dead times=3", "close times=5", "reset", "hang", "answer status=500 times=5",
     "answer status=403", "answer status=200 body=empty", "cut", "cut size=0", "cut framing=chunked",
     "cut framing=close", "zero-tail", "longer", "gzip", "html", "huge", "trickle rate=100"],
)  # fmt: skip
async def test_whatever_happens_to_a_download_the_film_is_whole_in_the_end(fault):
    bench = a_bench(f"file {fault}")

    await bench.run(some_jobs(1))

    film = bench.shelf.files["videos/job-00.mp4"]
    undisturbed = a_bench()
    await undisturbed.run(some_jobs(1))
    assert film == undisturbed.shelf.files["videos/job-00.mp4"]
    assert bench.accepted == ["job-00"]


@pytest.mark.parametrize("fault", ["other-etag", "ignore-range", "unsatisfiable"])
async def test_a_film_that_is_gone_on_from_is_whole_whatever_the_server_does(fault):
    bench = a_bench("file cut size=1000", f"file {fault}")

    await bench.run(some_jobs(1))

    undisturbed = a_bench()
    await undisturbed.run(some_jobs(1))
    assert bench.shelf.files == undisturbed.shelf.files


async def test_a_cut_body_is_gone_on_from_where_it_was_cut():
    sizes = []
    bench = a_bench("file cut size=1000 times=1")
    inner = bench.service.handle

    def handle(request, now):
        if "range" in request.headers:
            sizes.append(request.headers["range"])
        return inner(request, now)

    bench.service.handle = handle
    await bench.run(some_jobs(1))

    assert sizes == ["bytes=1000-"]
    assert bench.states == {State.SUCCEEDED: 1}


async def test_a_dead_link_reads_the_result_again():
    bench = a_bench("file dead times=2")

    await bench.run(some_jobs(1))

    assert bench.counters["results"] == 3
    assert bench.states == {State.SUCCEEDED: 1}


@pytest.mark.parametrize(
    ("fault", "code"), [("close", ErrorCode.DOWNLOAD_FAILED), ("zero-tail", ErrorCode.BAD_OUTPUT)]
)
async def test_a_download_that_keeps_failing_leaves_the_job_ready_and_never_generates_again(fault, code):
    bench = a_bench(f"file {fault} match=job-01 times=always")

    await bench.run(some_jobs(3))

    assert bench.states == {State.SUCCEEDED: 2, State.READY: 1}
    assert error_of(bench) == code
    assert bench.counters["downloads"] == 2 + 6
    assert bench.accepted.count("job-01") == 1


async def test_the_next_run_fetches_what_could_not_be_downloaded():
    bench = a_bench("file close times=6")
    await bench.run(some_jobs(1))

    await bench.run(some_jobs(1))

    assert bench.states == {State.SUCCEEDED: 1}
    assert error_of(bench, "job-00") is None
    assert len(bench.accepted) == 1


async def test_what_was_no_film_is_kept_as_evidence():
    bench = a_bench("file html")

    await bench.run(some_jobs(1))

    assert b"<html>" in bench.shelf.rejected[0]


async def test_a_file_beyond_the_largest_allowed_is_not_kept():
    bench = a_bench()

    await bench.run(some_jobs(1), Settings(max_file_bytes=1000))

    assert bench.states == {State.READY: 1}
    assert bench.shelf.files == {}
