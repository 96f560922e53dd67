"""The cap: never passed, whatever happens, and used as far as it goes."""

from __future__ import annotations

import pytest

from batchrunner.lifecycle import State
from batchrunner.money.pricing import Prices
from batchrunner.settings import OnUnknown, Settings

from ..builders import some_jobs
from ..doubles import a_bench, in_virtual_time

PRICE = Prices(otherwise=100_000)
"""What a film costs at the simulator, too: five seconds at 0.02 USD."""


def capped(films: float, **more) -> Settings:
    return Settings(max_cost_micros=round(films * 100_000), **more)


def bench_with_prices(*faults, prices=PRICE):
    bench = a_bench(*faults)
    bench.prices = prices
    return bench


@pytest.mark.parametrize(("films", "expected"), [(0, 0), (0.99, 0), (1, 1), (5, 5), (5.5, 5), (12, 12)])
def test_as_many_films_as_the_cap_pays_for_are_submitted_at_full_concurrency(films, expected):
    async def scenario():
        bench = bench_with_prices()
        context = await bench.run(some_jobs(12), capped(films, concurrency=12))
        return bench, context

    bench, context = in_virtual_time(scenario)

    assert len(bench.accepted) == expected
    assert bench.states.get(State.SUCCEEDED, 0) == expected
    assert ("--max-cost" in context.stopping.reason) == (expected < 12)


def test_an_earlier_run_counts(monkeypatch):
    async def scenario():
        bench = bench_with_prices()
        await bench.run(some_jobs(4), capped(4))
        await bench.run(some_jobs(9), capped(6))
        return bench

    assert len(in_virtual_time(scenario).accepted) == 6


def test_what_was_turned_away_comes_free_again_and_is_used():
    async def scenario():
        bench = bench_with_prices("submit throttled times=3")
        await bench.run(some_jobs(8), capped(4, concurrency=8))
        return bench

    bench = in_virtual_time(scenario)

    assert bench.states == {State.SUCCEEDED: 4, State.PENDING: 4}


def test_films_cheaper_than_they_were_taken_to_be_leave_room_for_more():
    async def scenario():
        bench = bench_with_prices(prices=Prices(otherwise=200_000))
        await bench.run(some_jobs(12), capped(6, concurrency=12))
        return bench

    bench = in_virtual_time(scenario)

    assert len(bench.accepted) == 5  # 0.5 USD are spent then, and one more was taken to cost 0.2


def test_a_doubt_stays_set_aside():
    async def scenario():
        bench = bench_with_prices("submit close accepted=yes match=job-00")
        await bench.run(some_jobs(6), capped(3, concurrency=1))
        return bench

    bench = in_virtual_time(scenario)

    assert bench.states == {State.UNKNOWN: 1, State.SUCCEEDED: 2, State.PENDING: 3}


def test_a_doubt_sent_again_is_paid_from_the_same_cap():
    async def scenario():
        bench = bench_with_prices("submit close accepted=no match=job-00")
        settings = capped(3, concurrency=1, on_unknown=OnUnknown.RESUBMIT)
        await bench.run(some_jobs(6), settings)
        return bench

    bench = in_virtual_time(scenario)

    assert bench.states[State.SUCCEEDED] == 2  # and the doubt, which may have been paid


def test_a_model_whose_price_nobody_knows_is_not_submitted_under_a_cap():
    async def scenario():
        bench = bench_with_prices(prices=Prices())
        context = await bench.run(some_jobs(2), capped(100))
        return bench, context

    bench, context = in_virtual_time(scenario)

    assert bench.accepted == []
    assert "--price" in context.stopping.reason
