"""What a job costs, from a catalogue entry; and that nothing is invented where it does not say."""

from __future__ import annotations

import pytest

from batchrunner.money.pricing import NoPrice, Price, Prices, parse_price


def a_price(usd=0.02, unit="second", defaults=None, **more):
    return parse_price("m", {"base_price_usd": usd, "price_unit": unit, **more}, defaults or {})


@pytest.mark.parametrize(
    ("unit", "inputs", "defaults", "micros"),
    [
        ("second", {"duration": 5}, {}, 100_000),
        ("second", {}, {"duration": 10}, 200_000),
        ("second", {"duration": 3}, {"duration": 10}, 60_000),
        ("Seconds", {"duration": "4s"}, {}, 80_000),
        ("per second", {"duration": 2.5}, {}, 50_000),
        ("output", {}, {}, 20_000),
        ("image", {"num_images": 4}, {}, 80_000),
        ("images", {}, {"num_images": 2}, 40_000),
        ("video", {"num_images": 4, "duration": 9}, {}, 20_000),
        ("request", {"num_images": 4}, {}, 20_000),
    ],
)
def test_a_job_costs_its_units_times_the_price_of_one(unit, inputs, defaults, micros):
    assert a_price(unit=unit, defaults=defaults).of(inputs) == micros


@pytest.mark.parametrize("unit", ["megapixel", "1k tokens", "", None, 7, "per"])
def test_a_unit_that_cannot_be_counted_is_no_price(unit):
    price = a_price(unit=unit)

    assert isinstance(price, NoPrice)
    assert "cannot be counted" in price.why


@pytest.mark.parametrize("usd", [None, 0, "", "free", -1, True, float("nan")])
def test_without_an_amount_there_is_no_price_and_one_of_nothing_counts_as_none(usd):
    assert a_price(usd=usd) == NoPrice(why="the catalogue gives no price for m")


@pytest.mark.parametrize("duration", [None, -1, "auto", 0, [5]])
def test_a_film_of_unknown_length_has_no_known_price(duration):
    assert a_price().of({} if duration is None else {"duration": duration}) is None


def test_a_fraction_of_a_micro_dollar_is_set_aside_whole():
    assert a_price(usd=0.0000012).of({"duration": 3}) == 4


def test_the_price_of_the_user_counts_only_where_none_is_known():
    prices = Prices(by_model={"film": a_price(), "odd": NoPrice(why="?")}, otherwise=500_000)

    assert prices.of("film", {"duration": 1}) == 20_000
    assert prices.of("film", {}) == 500_000
    assert prices.of("odd", {}) == 500_000
    assert prices.of("never asked about", {}) == 500_000


def test_the_catalogues_note_is_kept_for_the_reader():
    price = a_price(pricing_note=" 1080p costs more ")

    assert isinstance(price, Price)
    assert (price.note, str(price)) == ("1080p costs more", "0.02 USD per second")
