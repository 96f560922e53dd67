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


def test_a_row_fails_alone_after_ten_refusals_while_others_are_accepted():
    deferral = Deferral()

    verdicts = [deferral.turned_away(accepted, alone=False) for accepted in range(1, 11)]

    assert verdicts == [False] * 9 + [True]
    assert MAX_DEFERRALS == 10


def test_the_weather_is_not_a_rows_fault():
    deferral = Deferral(acceptances_then=3)

    assert not any(deferral.turned_away(3, alone=False) for _ in range(100))


def test_nobody_accepted_so_far_is_weather_even_for_the_last_row():
    deferral = Deferral()

    assert not any(deferral.turned_away(0, alone=True) for _ in range(100))


def test_the_last_row_left_counts_its_refusals_once_others_were_accepted():
    deferral = Deferral(acceptances_then=5)

    assert [deferral.turned_away(5, alone=True) for _ in range(10)][-1] is True


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_a_row_is_never_given_up_before_its_tenth_refusal(events):
    deferral, accepted = Deferral(), 0

    for refusals, (more, alone) in enumerate(events, start=1):
        accepted += more
        if deferral.turned_away(accepted, alone=alone):
            assert refusals >= MAX_DEFERRALS
            return
