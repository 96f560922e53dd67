"""When to look again, and what the looks add up to; a bad verdict is believed only after several."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.answers import Answer, Kind
from batchrunner.errors import ErrorCode
from batchrunner.news import CancelledThere, Done, Ended, FailedThere, Gone, Running, Stop, Trouble
from batchrunner.policy.looking import LookAgain, TimedOut, Watch
from tests.builders import an_error, some_outputs

HOUR_S = 3600.0
GONE = Gone(message="unknown request")
NOTHING = Done(outputs=())
TROUBLE = Trouble(answer=Answer(kind=Kind.UNAVAILABLE))
DONE = Done(outputs=tuple(some_outputs()))
FAILED = FailedThere(error=an_error())
STOP = Stop(answer=Answer(kind=Kind.ACCOUNT))


def a_watch(*, deadline: float = HOUR_S, uniform: float = 0.5, interval_s: float = 2.0) -> Watch:
    return Watch(waiting_s=lambda news, now: interval_s, deadline=deadline, uniform=lambda: uniform)


def look(watch: Watch, *news, at: float = 0.0):
    """Show *news* one after the other, each when the watch asked for it; return (instant, last decision)."""
    now, decision = at, None
    for each in news:
        if isinstance(decision, LookAgain):
            now += decision.after_s
        decision = watch.decide(each, now)
    return now, decision


def looks_until_believed(watch: Watch, *round_of_news) -> tuple[list[float], object]:
    """Show the same news again and again; return the instants of the looks and the verdict."""
    now, instants = 0.0, []
    for _ in range(100):
        for news in round_of_news:
            instants.append(now)
            decision = watch.decide(news, now)
            if not isinstance(decision, LookAgain):
                return instants, decision
            now += decision.after_s
    raise AssertionError("never believed")


@pytest.mark.parametrize("news", [DONE, FAILED, CancelledThere(), STOP])
def test_a_clear_end_is_the_verdict_at_once(news):
    assert a_watch().decide(news, 0.0) is news


@pytest.mark.parametrize("news", [DONE, FAILED, CancelledThere()])
def test_a_clear_end_counts_after_the_deadline_too(news):
    assert a_watch(deadline=10).decide(news, 11.0) is news


def test_a_job_that_runs_is_waited_for_as_the_spacing_says():
    assert a_watch(interval_s=7.0).decide(Running(), 1e3) == LookAgain(after_s=7.0)


def test_status_says_over_so_the_result_is_asked_at_once_and_the_slot_is_free():
    assert a_watch().decide(Ended(), 0.0) == LookAgain(after_s=0, at_result=True, service_done=True)


def test_completed_with_a_result_that_still_runs_is_waited_for():
    _, decision = look(a_watch(), Ended(), Running(), Ended(), Running(), Ended(), DONE)

    assert decision is DONE


# ── the deadline ──


@given(st.floats(0, 1, exclude_max=True), st.floats(0.5, 100), st.floats(10, 1000))
def test_the_last_look_falls_on_the_deadline(uniform, interval_s, deadline):
    watch = a_watch(uniform=uniform, interval_s=interval_s, deadline=deadline)

    instants, verdict = looks_until_believed_over(watch, Running())

    assert isinstance(verdict, TimedOut)
    assert verdict.error.code == ErrorCode.JOB_TIMEOUT
    assert instants[-1] == pytest.approx(deadline)


def looks_until_believed_over(watch: Watch, news) -> tuple[list[float], object]:
    now, instants = 0.0, []
    while True:
        instants.append(now)
        decision = watch.decide(news, now)
        if not isinstance(decision, LookAgain):
            return instants, decision
        now += max(decision.after_s, 1e-9)


def test_a_service_that_never_answers_is_given_up_at_the_deadline_and_not_before():
    instants, verdict = looks_until_believed_over(a_watch(deadline=600), TROUBLE)

    assert isinstance(verdict, TimedOut)
    assert instants[-1] == pytest.approx(600)


def test_an_end_that_comes_with_the_deadline_is_still_asked_for_its_result():
    assert a_watch(deadline=10).decide(Ended(), 10.0).at_result


# ── unanswered looks ──


def test_unanswered_looks_back_off_up_to_half_a_minute_and_recover():
    watch = a_watch()

    backing_off = [watch.decide(TROUBLE, 0.0).after_s for _ in range(8)]
    watch.decide(Running(), 0.0)
    recovered = watch.decide(TROUBLE, 0.0).after_s

    assert backing_off == sorted(backing_off)
    assert backing_off[-1] == pytest.approx(30 * 0.75)
    assert recovered == backing_off[0]


def test_unanswered_looks_never_fail_a_job():
    watch = a_watch(deadline=1e9)

    assert all(isinstance(watch.decide(TROUBLE, float(at)), LookAgain) for at in range(1000))


# ── verdicts that cost a result ──


@pytest.mark.parametrize("uniform", [0.0, 0.999])
def test_not_found_is_believed_after_five_looks_over_two_to_five_minutes(uniform):
    instants, verdict = looks_until_believed(a_watch(uniform=uniform), GONE)

    assert verdict is GONE
    assert len(instants) >= 5
    assert 120 <= instants[-1] <= 300
    assert all(later - earlier >= 15 for earlier, later in pairwise(instants))


@pytest.mark.parametrize("uniform", [0.0, 0.999])
def test_done_without_output_is_believed_after_five_looks_over_about_a_minute(uniform):
    instants, verdict = looks_until_believed(a_watch(uniform=uniform), Ended(), NOTHING)

    assert verdict is NOTHING
    assert len(instants) / 2 >= 5
    assert 60 <= instants[-1] <= 90


@pytest.mark.parametrize("between", [Running(), TROUBLE])
def test_not_found_must_be_seen_without_anything_else_in_between(between):
    watch = a_watch()

    now, decision = look(watch, GONE, GONE, GONE, GONE, between, GONE)

    assert isinstance(decision, LookAgain)
    assert now > 120


def test_a_quick_row_of_not_founds_is_not_believed():
    watch = a_watch()

    assert all(isinstance(watch.decide(GONE, at / 100), LookAgain) for at in range(50))


def test_an_output_that_comes_late_is_taken():
    _, decision = look(a_watch(), Ended(), NOTHING, Ended(), NOTHING, Ended(), DONE)

    assert decision is DONE


def test_while_a_bad_verdict_is_doubted_the_service_is_done_with_it():
    assert a_watch().decide(GONE, 0.0).service_done
    assert a_watch().decide(NOTHING, 0.0).service_done


def test_a_failed_status_that_result_explains_is_told_with_the_reason():
    _, decision = look(a_watch(), Ended(failed=True), FAILED)

    assert decision is FAILED


def test_a_failed_status_that_result_never_explains_is_believed_after_a_few_looks():
    instants, verdict = looks_until_believed(a_watch(), Ended(failed=True), Running())

    assert isinstance(verdict, FailedThere)
    assert verdict.error.code == ErrorCode.GENERATION_FAILED
    assert len(instants) / 2 >= 5
    assert 60 <= instants[-1] <= 120


def test_a_failed_status_that_result_contradicts_is_a_film():
    _, decision = look(a_watch(), Ended(failed=True), Running(), Ended(failed=True), DONE)

    assert decision is DONE


def test_a_status_that_takes_its_failure_back_is_waited_for():
    watch = a_watch()
    look(watch, Ended(failed=True), Running(), Ended(failed=False), Running())

    assert all(isinstance(watch.decide(Running(), float(at)), LookAgain) for at in range(20, 60))


def test_a_status_that_runs_again_after_a_failure_is_not_taken_for_failed():
    watch = a_watch()
    look(watch, Ended(failed=True), Running())

    assert all(isinstance(watch.decide(Running(), float(at)), LookAgain) for at in range(20, 60))
