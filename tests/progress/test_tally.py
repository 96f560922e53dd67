"""The run in numbers, counted from its events alone."""

from __future__ import annotations

import pytest

from .telling import BEGAN, a_busy_run, an_event, counted, failed, started, weather


def test_before_anything_was_told_nothing_is_known():
    tally = counted()

    assert (tally.to_do, tally.done, tally.waiting) == (0, 0, 0)
    assert tally.left_s(BEGAN) is tally.per_s(BEGAN) is tally.projected_usd is None


def test_a_job_is_in_one_place_at_a_time():
    way = [
        started(1),
        an_event("submitted", "fox"),
        an_event("ready", "fox"),
        an_event("succeeded", "fox"),
    ]
    seen = []
    for told in range(1, 5):
        tally = counted(*way[:told])
        seen.append((tally.waiting, len(tally.running), len(tally.saving), tally.done))

    assert seen == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]


def test_a_job_that_the_service_seems_to_have_given_up_does_not_run_until_it_says_so():
    way = [an_event("submitted", "fox"), an_event("unconfirmed", "fox", message="unknown to the service")]
    seen = []
    for more in ([], [an_event("confirmed_running", "fox")], [failed("fox")]):
        tally = counted(started(1), *way, *more)
        seen.append((len(tally.unconfirmed), len(tally.running), tally.waiting, tally.done))

    assert seen == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1)]


@pytest.mark.parametrize("name", ["retrying", "taken_back"])
def test_a_job_that_is_pending_again_waits_again(name):
    tally = counted(started(2), an_event("submitted", "fox"), an_event(name, "fox"))

    assert (tally.waiting, len(tally.running), tally.done) == (2, 0, 0)


def test_results_of_earlier_runs_are_work_of_this_one():
    tally = counted(started(3, collect=2, done=7), an_event("collecting", "fox"))

    assert (tally.to_do, tally.waiting, tally.done_before) == (5, 4, 7)


def test_failures_keep_their_row_and_why_the_latest_last():
    told = [failed(f"job-{n}", row=n, code="moderated", message=f"no {n}") for n in range(50)]

    tally = counted(started(50), *told)

    latest = tally.failures[-1]
    assert (latest.id, latest.row, latest.code, latest.message) == ("job-49", 49, "moderated", "no 49")
    assert len(tally.failures) == 20


def test_a_retry_is_no_failure_yet():
    told = an_event("retrying", "fox", row=3, error={"code": "generation_failed", "message": "no"})

    tally = counted(started(1), told)

    assert not tally.failures


# ── time ──


def test_what_is_left_counts_down_from_the_forecast():
    tally = counted(started(9), an_event("forecast", at=10, left_s=100.0))

    assert [tally.left_s(BEGAN + at) for at in (10, 60, 110, 500)] == [100.0, 50.0, 0.0, 0.0]


def test_nothing_is_foretold_of_a_run_that_drains_or_is_done():
    forecast = an_event("forecast", left_s=100.0)

    draining = counted(started(9), forecast, an_event("draining", reason="stopped by Ctrl-C"))
    done = counted(started(1), forecast, an_event("succeeded", "fox"))

    assert draining.left_s(BEGAN) is done.left_s(BEGAN) is None


def test_the_pace_is_that_of_the_jobs_since_the_start():
    ends = [an_event("succeeded", f"job-{n}", at=10.0 * n) for n in range(1, 7)]

    assert counted(started(9), *ends).per_s(BEGAN + 60) == pytest.approx(0.1)


def test_the_pace_forgets_what_is_long_past():
    slow = [an_event("succeeded", f"slow-{n}", at=100.0 * n) for n in range(1, 100)]
    quick = [an_event("succeeded", f"quick-{n}", at=20_000 + n) for n in range(300)]

    assert counted(started(999), *slow, *quick).per_s(BEGAN + 20_299) == pytest.approx(1.0, rel=0.01)


def test_one_end_is_no_pace():
    assert counted(started(9), an_event("succeeded", "fox", at=1)).per_s(BEGAN + 2) is None


# ── money ──


def test_the_rest_is_taken_to_cost_what_the_others_did():
    ready = [an_event("ready", f"job-{n}", cost_usd=0.10) for n in range(4)]

    tally = counted(started(10, spent=1.0), *ready)

    assert tally.spent_usd == pytest.approx(1.4)
    assert tally.projected_usd == pytest.approx(1.4 + 6 * 0.10)


def test_a_failed_attempt_that_was_billed_counts_with_its_job():
    told = [an_event("retrying", "fox", cost_usd=0.10), an_event("ready", "fox", cost_usd=0.10)]

    tally = counted(started(2), *told)

    assert tally.spent_usd == pytest.approx(0.20)
    assert tally.projected_usd == pytest.approx(0.40)


def test_without_a_price_nothing_is_said_of_money():
    tally = counted(started(2), an_event("ready", "fox", cost_usd=None))

    assert tally.spent_usd is tally.projected_usd is None


def test_a_run_that_drains_foretells_no_price():
    told = [an_event("ready", "fox", cost_usd=0.1), an_event("draining", reason="--until has come")]

    assert counted(started(9), *told).projected_usd is None


# ── weather ──


def test_durations_of_the_weather_become_instants():
    tally = counted(
        started(9),
        weather(at=50, sky="away", limit=3, lasted_s=180.0, gives_up_s=1620.0, next_try_s=12.0, reason="502"),
    )

    assert (tally.limit, tally.concurrency, tally.sky, tally.reason) == (3, 8, "away", "502")
    assert (tally.since, tally.next_try_at, tally.gives_up_at) == (BEGAN - 130, BEGAN + 62, BEGAN + 1670)


def test_fair_weather_clears_it_all():
    bad = weather(sky="throttled", limit=3, lasted_s=5.0, gives_up_s=9.0, next_try_s=12.0, reason="429")

    tally = counted(started(9), bad, weather(at=9))

    assert (tally.limit, tally.sky, tally.reason) == (8, "fair", "")
    assert tally.since is tally.next_try_at is tally.gives_up_at is None


def test_a_busy_run_adds_up():
    tally = a_busy_run()

    assert tally.done + len(tally.running) + len(tally.saving) + tally.waiting == tally.to_do == 100
