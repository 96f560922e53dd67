"""Which failure is tried again, and when a row that is always turned away fails alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import ErrorCode
from batchrunner.policy.retry import MAX_DEFERRALS, Deferral, may_retry
from tests.builders import an_error


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_failed_generation_is_tried_again_while_attempts_are_left(attempts, max_attempts):
    assert may_retry(an_error(), attempts, max_attempts) is (attempts < max_attempts)


@pytest.mark.parametrize("code", [code for code in ErrorCode if code is not ErrorCode.GENERATION_FAILED])
def test_nothing_else_is_generated_again_by_itself(code):
    assert may_retry(an_error(code), 1, 3) is False


def turned_away(deferral: Deferral, *, finished: int = 0, acceptances: int = 5, others: int = 3) -> bool:
    return deferral.turned_away(finished=finished, acceptances=acceptances, others=others)


def test_a_row_fails_alone_when_ten_times_another_was_taken_in_its_place():
    deferral, verdicts = Deferral(), []

    turned_away(deferral)
    for _ in range(10):
        deferral.other_accepted(finished=0)
        verdicts.append(turned_away(deferral))

    assert verdicts == [False] * 9 + [True]
    assert MAX_DEFERRALS == 10


def test_a_full_service_is_not_a_rows_fault():
    deferral = Deferral()

    for finished in range(100):
        assert not turned_away(deferral, finished=finished)
        deferral.other_accepted(finished=finished + 1)  # a place came free first


def test_nobody_accepted_so_far_is_weather_even_for_the_last_row():
    deferral = Deferral()

    assert not any(turned_away(deferral, acceptances=0, others=0) for _ in range(100))


def test_with_nothing_else_of_ours_there_it_is_the_rows_fault_once_others_were_accepted():
    deferral = Deferral()

    assert [turned_away(deferral, others=0) for _ in range(10)] == [False] * 9 + [True]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.booleans()), max_size=40))
def test_a_row_is_never_given_up_before_its_tenth_refusal(events):
    deferral, finished = Deferral(), 0

    for refusals, (ended, others, accepted) in enumerate(events, start=1):
        finished += ended
        if turned_away(deferral, finished=finished, others=others):
            assert refusals >= MAX_DEFERRALS
            return
        if accepted:
            deferral.other_accepted(finished)
