"""A law: in any order of outcomes, at any concurrency, what is spent and set aside never passes the cap."""

from __future__ import annotations

from decimal import Decimal

import anyio
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.money.pricing import Price, Prices, Unit
from batchrunner.settings import OnUnknown, Settings
from batchrunner.simulator import SimulatorSettings
from batchrunner.simulator.settings import Films
from tests.laws import tried

from ..builders import MODEL, a_job
from ..doubles import a_bench, in_virtual_time

PRICES = Prices(by_model={MODEL: Price(usd=Decimal("0.02"), unit=Unit.SECOND)})

FAULTS = st.sampled_from(
    [
        "submit throttled times=3",
        "submit unavailable times=2",
        "submit lock-timeout accepted=yes times=2 skip=1",
        "submit close accepted=yes times=2",
        "submit close accepted=no times=1 skip=3",
        "submit refused times=2",
        "status unavailable times=3",
        "result unavailable times=2",
    ]
)


@tried(0.6)
@given(
    durations=st.lists(st.integers(2, 12), min_size=1, max_size=14),
    cap_micros=st.integers(0, 1_500_000),
    concurrency=st.integers(1, 14),
    faults=st.lists(FAULTS, max_size=3),
    fail_share=st.sampled_from([0.0, 0.5, 1.0]),
    resubmit=st.booleans(),
    runs=st.integers(1, 2),
)
def test_the_cap_is_never_passed(durations, cap_micros, concurrency, faults, fail_share, resubmit, runs):
    async def scenario():
        service = SimulatorSettings(
            slots=4, service_time_s=20.0, latency_s=0.1, films=Films.TINY, fail_share=fail_share
        )
        bench = a_bench(*faults, settings=service)
        bench.prices = PRICES
        jobs = [a_job(f"job-{n}", duration=duration, row=n + 2) for n, duration in enumerate(durations)]
        most = 0

        def look(line):
            nonlocal most
            most = max(most, bench.store.committed_micros())

        run = Settings(
            max_cost_micros=cap_micros,
            concurrency=concurrency,
            max_outage_s=600.0,
            halt_on_failures="off",
            on_unknown=OnUnknown.RESUBMIT if resubmit else OnUnknown.HOLD,
        )
        for _ in range(runs):
            with anyio.fail_after(7 * 86_400):
                await bench.run(jobs, run, on_step=look)
        return bench, most

    bench, most = in_virtual_time(scenario)

    billed = sum(round(record.cost_usd * 1_000_000) for record in bench.service.accepted)
    assert most <= cap_micros
    assert billed <= cap_micros
    assert billed <= bench.store.committed_micros()
