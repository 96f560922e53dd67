"""When a bad batch is halted before it costs more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.policy.breaker import MIN_SAMPLE, Breaker


def reasons(breaker: Breaker, *outcomes: bool) -> list[str | None]:
    """What the breaker says after each attempt; True stands for a failure."""
    return [breaker.trips(failed=failed) for failed in outcomes]


def test_twenty_failures_from_the_start_halt_the_batch():
    assert reasons(Breaker(), *[True] * 20) == [None] * 19 + ["the first 20 all failed"]


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 19))
def test_one_film_among_the_first_twenty_keeps_the_batch_going(later, film):
    first = [number != film for number in range(20)]

    assert not any(reasons(Breaker(), *first, *later))


def test_a_share_counts_only_once_enough_attempts_have_ended():
    said = reasons(Breaker.parse("20%"), *[True] * MIN_SAMPLE)

    assert said == [None] * (MIN_SAMPLE - 1) + [f"{MIN_SAMPLE} of {MIN_SAMPLE} failed"]


@pytest.mark.parametrize(("failures", "halted"), [(19, False), (20, True)])
def test_a_share_is_reached_at_exactly_that_share(failures, halted):
    said = reasons(Breaker.parse("20%"), *[False] * (100 - failures), *[True] * failures)

    assert (said[-1] is not None) is halted


@given(st.lists(st.booleans(), max_size=100))
def test_off_never_halts(outcomes):
    assert not any(reasons(Breaker.parse("off"), *outcomes))


@pytest.mark.parametrize(
    ("text", "breaker"),
    [
        ("20", Breaker(first=20)),
        (" 5 ", Breaker(first=5)),
        ("20%", Breaker(first=None, share=0.2)),
        ("0.5 %", Breaker(first=None, share=0.005)),
        ("100%", Breaker(first=None, share=1.0)),
        ("OFF", Breaker(first=None)),
    ],
)
def test_the_three_ways_to_say_it(text, breaker):
    assert Breaker.parse(text) == breaker


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "101%", "many", "20 jobs", "%", "2.5", "٢٠"])
def test_anything_else_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"neither|above 0%"):
        Breaker.parse(text)
