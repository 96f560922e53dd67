"""Ctrl-C once drains, twice stops; SIGTERM and SIGHUP stop at once; the ledger is valid in any case."""

from __future__ import annotations

import signal
import time

import pytest

from .acts import accepts_and, answers, later, says_nothing, status
from .command import finish, wait_until

FOR_EVER = 10**9

AT_ONCE_S = 30
"""Far from the hour a job may take, and far from what a busy machine needs."""


def test_the_first_ctrl_c_finishes_what_is_in_flight_and_leaves_the_rest(batch, fake):
    batch.write("fox", "owl", "cat")
    fake.looks_until_done = FOR_EVER
    process = batch.start_run("--concurrency", 1)
    wait_until(lambda: fake.calls("status"))

    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    still_there = process.poll() is None
    fake.looks_until_done = 1
    outcome = finish(process)

    assert still_there
    assert outcome.code == 75
    assert batch.states == {"succeeded": 1, "pending": 2}
    assert batch.results()["fox"]["status"] == "succeeded"


def test_the_first_ctrl_c_with_everything_in_flight_ends_with_0(batch, fake):
    batch.write("fox", "owl")
    fake.looks_until_done = FOR_EVER
    process = batch.start_run()
    wait_until(lambda: len(fake.calls("status")) > 2)

    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    fake.looks_until_done = 1

    assert finish(process).code == 0
    assert batch.states == {"succeeded": 2}


def test_ctrl_c_in_a_run_with_a_limit_says_that_work_is_still_open(batch, fake):
    batch.write("fox", "owl", "cat", "dog")
    fake.looks_until_done = FOR_EVER
    process = batch.start_run("--concurrency", 1, "--limit", 3)
    wait_until(lambda: fake.calls("status"))

    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    fake.looks_until_done = 1

    assert finish(process).code == 75


def test_ctrl_c_does_not_wait_for_a_long_pause(batch, fake):
    batch.write("fox")
    fake.always("submit", answers(429, Retry_After="1000"))
    process = batch.start_run()
    wait_until(lambda: fake.posts())
    time.sleep(0.3)

    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    outcome = finish(process)

    assert outcome.code == 75
    assert time.monotonic() - began < AT_ONCE_S
    assert batch.states == {"pending": 1}


STOPS = {
    "two Ctrl-C": ([signal.SIGINT, signal.SIGINT], 130),
    "SIGTERM": ([signal.SIGTERM], 143),
    "SIGHUP": ([signal.SIGHUP], 129),
    "SIGTERM while draining": ([signal.SIGINT, signal.SIGTERM], 143),
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_stop_is_at_once_says_what_still_bills_and_the_rerun_collects_it(batch, fake, stop):
    signals, code = STOPS[stop]
    batch.write("fox", "owl")
    fake.looks_until_done = FOR_EVER
    process = batch.start_run("--json")
    wait_until(lambda: len({seen.text for seen in fake.calls("status")}) == 2)

    for one in signals:
        process.send_signal(one)
        time.sleep(0.3)
    began = time.monotonic()
    outcome = finish(process)
    fake.looks_until_done = 1
    again = batch.run()

    assert outcome.code == code
    assert time.monotonic() - began < AT_ONCE_S
    assert "billed" in outcome.err
    assert outcome.lines[-1]["event"] == "summary"
    assert outcome.lines[-1]["exit_code"] == code
    assert again.code == 0
    assert fake.paid == {"fox": 1, "owl": 1}


def test_a_submission_on_the_wire_is_given_time_to_be_answered(batch, fake):
    batch.write("fox", "owl")
    fake.always("submit", later(1.5))
    process = batch.start_run("--concurrency", 1)
    wait_until(lambda: fake.posts())

    process.send_signal(signal.SIGTERM)

    assert finish(process).code == 143
    assert batch.states_now == {"submitted": 1, "pending": 1}


def test_a_submission_that_stays_unanswered_is_a_doubt_after_five_seconds(batch, fake):
    batch.write("fox")
    fake.script("submit", accepts_and(says_nothing))
    process = batch.start_run()
    wait_until(lambda: fake.posts())

    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    outcome = finish(process)
    again = batch.run()

    assert outcome.code == 143
    assert 4 < time.monotonic() - began < AT_ONCE_S
    assert again.code == 1
    assert batch.states == {"unknown": 1}
    assert fake.posts() == 1


def test_a_signal_before_anything_was_sent_leaves_everything_to_do(batch, fake):
    batch.write("fox")
    fake.always("model", later(30))
    process = batch.start_run()
    wait_until(lambda: fake.calls("model"))

    process.send_signal(signal.SIGTERM)
    outcome = finish(process)

    assert outcome.code == 143
    assert batch.states_now == {"pending": 1}


def test_ctrl_c_may_take_back_what_is_queued_and_the_next_run_submits_it_again(batch, fake):
    batch.write("fox", "owl")
    fake.looks_until_done = FOR_EVER
    fake.always("status", status("in_queue", queue_position=2), text="fox")
    fake.always("cancel", answers(202, {"status": "completed", "outcome": "cancelled"}), text="fox")
    process = batch.start_run("--on-interrupt", "cancel-queued")
    wait_until(lambda: len({seen.text for seen in fake.calls("status")}) == 2)

    process.send_signal(signal.SIGINT)
    wait_until(lambda: fake.calls("cancel", "fox"))
    fake.looks_until_done = 1
    outcome = finish(process)
    states = batch.states
    fake.mend()
    again = batch.run()

    assert outcome.code == 75
    assert states == {"pending": 1, "succeeded": 1}
    assert again.code == 0
    assert fake.paid == {"fox": 2, "owl": 1}
