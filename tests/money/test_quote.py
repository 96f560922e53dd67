"""What a plan costs and takes: exact where it is known, and unknown where a single job is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from batchrunner.money.pricing import NoPrice, Price, Prices, Unit
from batchrunner.money.quote import Balance, make_quote, mean_run_times

PRICES = Prices(
    by_model={
        "film": Price(usd=Decimal("0.02"), unit=Unit.SECOND),
        "image": Price(usd=Decimal("0.04"), unit=Unit.IMAGE),
        "odd": NoPrice(why="nobody knows"),
    }
)
FILM = ("film", {"duration": 5})
IMAGE = ("image", {"num_images": 2})
ODD = ("odd", {})


def a_quote(*jobs, prices=PRICES, run_times=None, concurrency=1, balance=None):
    return make_quote(
        [(*job, 1) for job in jobs], prices, run_times_s=run_times or {}, concurrency=concurrency,
        balance=balance or Balance(why_not="?"),
    )  # fmt: skip


def test_each_models_jobs_are_added_up_on_a_line_of_their_own():
    quote = a_quote(FILM, IMAGE, FILM)

    assert quote.micros == 280_000
    assert [(line.model, line.jobs, line.micros) for line in quote.lines] == [
        ("film", 2, 200_000), ("image", 1, 80_000)
    ]  # fmt: skip


@given(st.lists(st.sampled_from([FILM, IMAGE])))
def test_the_whole_is_the_sum_of_its_jobs_without_rounding(jobs):
    assert a_quote(*jobs).micros == 100_000 * jobs.count(FILM) + 80_000 * jobs.count(IMAGE)


def test_one_job_of_unknown_price_makes_the_whole_unknown_and_says_why():
    quote = a_quote(FILM, ODD)

    assert (quote.micros, quote.known_micros, quote.unpriced) == (None, 100_000, 1)
    assert quote.as_json()["cost_usd"] is None
    assert quote.lines[1].price == "nobody knows"


def test_the_balance_suffices_or_not_or_nobody_knows():
    enough, short = Balance(micros=180_000), Balance(micros=179_999)

    assert a_quote(FILM, IMAGE, balance=enough).suffices is True
    assert a_quote(FILM, IMAGE, balance=short).suffices is False
    assert a_quote(FILM, ODD, balance=enough).suffices is None
    assert a_quote(FILM, ODD, balance=Balance(micros=1)).suffices is False
    assert a_quote(FILM).suffices is None


def test_time_comes_from_measured_run_times_or_not_at_all():
    times = mean_run_times([("film", 8.0, 12.0), ("film", 18.0, 22.0)])

    assert times == {"film": 15.0}
    assert a_quote(*[FILM] * 8, run_times=times, concurrency=4).estimated_s == 30.0
    assert a_quote(FILM, run_times=times, concurrency=4).estimated_s == 15.0  # not faster than one job
    assert a_quote(IMAGE, run_times=times).estimated_s == 15.0  # never run: taken to be like the others
    assert a_quote(FILM).estimated_s is None
