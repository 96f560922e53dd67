"""Micro-dollars: exact, and never a little less than what is meant."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.money.amounts import as_usd, dollars, micros_of, parse_usd, usd_of, written


@pytest.mark.parametrize(
    ("text", "micros"),
    [("5", 5_000_000), ("0.25", 250_000), ("$12.50", 12_500_000), (" 1e2 ", 100_000_000), ("0", 0)],
)
def test_an_amount_is_read_as_people_write_it(text, micros):
    assert parse_usd(text) == micros


@pytest.mark.parametrize("text", ["", "five", "-1", "nan", "inf", "1,50", "٣", "0.0000001", "1e12", "5 EUR"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):
        parse_usd(text)


@given(st.integers(0, 10**15))
def test_words_say_an_amount_exactly(micros):
    words = dollars(micros)

    assert parse_usd(words.removesuffix(" USD").replace(",", "")) == micros
    assert parse_usd(written(micros)) == micros
    assert round(as_usd(micros) * 1_000_000) == micros


@given(st.decimals(0, 10**6, places=9))
def test_what_is_set_aside_is_never_too_little_and_less_than_a_micro_dollar_too_much(usd):
    over = Decimal(micros_of(usd)) - usd * 1_000_000

    assert 0 <= over < 1


@pytest.mark.parametrize("value", [None, True, "free", [1], {}, float("nan"), float("inf"), 1e300])
def test_what_the_service_gives_instead_of_an_amount_is_none(value):
    assert usd_of(value) is None


def test_a_float_of_the_service_is_the_number_it_wrote():
    assert sum([usd_of(0.1)] * 3) == Decimal("0.3")
