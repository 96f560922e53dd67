"""When the run will be done: what is left, list-scheduled over the slots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.policy.forecast import EXACTLY, Forecast, list_scheduled_s
from batchrunner.policy.runtimes import Key, RunTimes

SHORT, LONG = Key("m", ("duration=5",)), Key("m", ("duration=10",))

seconds = st.floats(0.1, 1000)


def known(**medians: float) -> RunTimes:
    """Run times of which enough was seen."""
    run_times = RunTimes()
    for name, median_s in medians.items():
        for _ in range(60):
            run_times.learn({"short": SHORT, "long": LONG}[name], median_s * 0.99, median_s * 1.01)
    return run_times


# ── scheduling ──


@pytest.mark.parametrize(
    ("running", "waiting", "slots", "left_s"),
    [
        ([], [], 4, 0.0),
        ([7.0, 3.0], [], 4, 7.0),
        ([], [(4, 10.0)], 4, 10.0),
        ([], [(5, 10.0)], 4, 20.0),
        ([4.0], [(2, 10.0)], 2, 14.0),
        ([5.0, 9.0], [(1, 10.0)], 1, 19.0),  # the limit was lowered: the first end frees nothing
        ([], [(1, 30.0), (3, 10.0)], 2, 40.0),
    ],
)
def test_each_slot_that_comes_free_takes_the_next_job(running, waiting, slots, left_s):
    assert list_scheduled_s(running, waiting, slots) == pytest.approx(left_s)


@given(st.lists(seconds, max_size=8), st.lists(st.tuples(st.integers(0, 40), seconds)), st.integers(1, 9))
def test_no_schedule_beats_the_work_nor_wastes_more_than_its_longest_job(running, waiting, slots):
    running = running[:slots]
    lengths = [*running, *(each for count, each in waiting if count)]
    work_s = sum(running) + sum(count * each for count, each in waiting)

    left_s = list_scheduled_s(running, waiting, slots)

    assert left_s >= max([*running, work_s / slots]) * (1 - 1e-9)
    assert left_s <= (work_s / slots + max(lengths, default=0.0)) * (1 + 1e-9)


def test_many_jobs_are_not_placed_one_by_one_and_come_out_nearly_the_same():
    few = list_scheduled_s([], [(EXACTLY, 10.0)], 8)

    many = list_scheduled_s([], [(EXACTLY + 8, 10.0)], 8)

    assert few < many == pytest.approx(few + 10.0, rel=0.02)
    assert list_scheduled_s([], [(10**9, 10.0)], 8) == pytest.approx(1.25e9)


# ── what is known ──


def test_before_a_run_time_was_seen_nothing_is_said():
    forecast = Forecast(RunTimes())
    forecast.expect(100, {SHORT: 1})
    forecast.began(1, SHORT, 0.0)

    assert forecast.left_s(50.0, 8) is None


def test_the_mix_of_settings_decides():
    forecast = Forecast(known(short=10, long=30))
    forecast.expect(80, {SHORT: 3, LONG: 1})

    assert forecast.left_s(0.0, 8) == pytest.approx((60 * 10 + 20 * 30) / 8, rel=0.15)


def test_a_setting_that_was_not_seen_is_taken_to_be_as_the_model_is():
    forecast = Forecast(known(short=10))
    forecast.expect(8, {LONG: 1})

    assert forecast.left_s(0.0, 8) == pytest.approx(10, rel=0.1)


def test_time_goes_by_for_what_runs_and_never_below_nothing():
    forecast = Forecast(known(short=10))
    forecast.began(1, SHORT, 0.0)

    left = [forecast.left_s(now, 8) for now in (0.0, 4.0, 100.0)]

    assert left == [pytest.approx(10, rel=0.1), pytest.approx(6, rel=0.1), 0.0]


def test_a_queue_at_the_service_stretches_what_is_to_come():
    forecast = Forecast(known(short=10))
    forecast.expect(80, {SHORT: 1})
    for seq in range(50):
        forecast.began(seq, SHORT, 0.0)
        forecast.ended(seq, 30.0)
        forecast.ended(seq, 99.0)  # told again: it counts once

    assert forecast.left_s(30.0, 8) == pytest.approx(80 * 30 / 8, rel=0.1)


def test_a_job_that_comes_back_is_waited_for_again():
    forecast = Forecast(known(short=10))
    forecast.expect(0, {SHORT: 1})
    forecast.waiting += 1

    assert forecast.left_s(0.0, 1) == pytest.approx(10, rel=0.1)
