"""How long to wait: within bounds, growing, and still spread at the cap."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchrunner.policy.backoff import DEFERRAL, DOWNLOAD, GENERATION, PAUSE, POLL_ERROR, Backoff

UNIFORM = st.floats(0, 1, exclude_max=True)


@st.composite
def backoffs(draw):
    base_s = draw(st.floats(0.001, 1e4))
    return Backoff(
        base_s=base_s, cap_s=base_s + draw(st.floats(0, 1e6)), floor=draw(st.floats(0, 1, exclude_max=True))
    )


@given(backoffs(), st.integers(1, 10**9), UNIFORM)
def test_a_delay_lies_between_its_floor_and_the_cap(backoff, tries, uniform):
    full = min(backoff.cap_s, backoff.base_s * 2.0 ** min(tries - 1, 500))

    assert full * backoff.floor <= backoff.delay_s(tries, uniform) <= full <= backoff.cap_s


@given(backoffs(), st.integers(1, 100), UNIFORM)
def test_a_delay_never_shrinks_with_the_tries(backoff, tries, uniform):
    assert backoff.delay_s(tries, uniform) <= backoff.delay_s(tries + 1, uniform)


@given(backoffs(), st.floats(0, 0.5), st.floats(0.6, 0.99))
def test_jobs_that_reached_the_cap_still_wake_at_different_instants(backoff, early, late):
    assume(backoff.floor < 0.999)
    assert backoff.delay_s(1000, early) < backoff.delay_s(1000, late)


@pytest.mark.parametrize(("tries", "delay_s"), [(1, 1), (2, 2), (3, 4), (6, 30), (10_000, 30)])
def test_the_delay_doubles_up_to_the_cap(tries, delay_s):
    assert Backoff(base_s=1, cap_s=30, floor=1).delay_s(tries, 0.5) == delay_s


@pytest.mark.parametrize("tries", [0, -1])
def test_tries_count_from_one(tries):
    with pytest.raises(ValueError, match="count from 1"):
        PAUSE.delay_s(tries, 0.5)


@pytest.mark.parametrize(
    "odd",
    [{"base_s": 0, "cap_s": 1}, {"base_s": 2, "cap_s": 1}, {"base_s": 1, "cap_s": 2, "floor": 1.5}],
)
def test_what_is_no_backoff_is_refused(odd):
    with pytest.raises(ValueError, match="not a backoff"):
        Backoff(**odd)


@pytest.mark.parametrize("backoff", [GENERATION, POLL_ERROR, DOWNLOAD, PAUSE, DEFERRAL])
def test_every_backoff_in_use_is_jittered_and_never_hammers(backoff):
    assert backoff.delay_s(1, 0.0) > 0
    assert backoff.floor < 1
