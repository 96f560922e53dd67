"""With tiny films the in-process service needs no thread, so an hour passes in a moment."""

from __future__ import annotations

import threading
import time

import anyio
import httpx
import pytest
import trio
from trio.testing import MockClock

from batchrunner.simulator import Service, SimulatorSettings, transport
from batchrunner.simulator.settings import Films

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
HOUR_LONG = SimulatorSettings(service_time_s=3600.0, spread=0.0, latency_s=0.5, films=Films.TINY)


def in_virtual_time(scenario):
    return trio.run(scenario, clock=MockClock(autojump_threshold=0))


def client_of(service: Service, timeout: float = 5.0) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport(service, anyio.current_time),
        base_url="http://simulator.test",
        headers={"Authorization": "Bearer x"},
        timeout=timeout,
    )


def test_an_hour_of_polling_takes_a_moment_and_no_thread():
    async def scenario() -> tuple[float, int, int]:
        polls, began_at = 0, anyio.current_time()
        async with client_of(Service(HOUR_LONG)) as client:
            urls = (await client.post(f"/v1/models/{MODEL}", json={"text": "a"})).json()
            while (await client.get(urls["status_url"])).json()["status"] != "completed":
                polls += 1
                await anyio.sleep(10)
            result = (await client.get(urls["result_url"])).json()
            film = await client.get(result["output"]["video"])
        return anyio.current_time() - began_at, polls, len(film.content)

    threads, before = threading.active_count(), time.monotonic()
    virtual_s, polls, size = in_virtual_time(scenario)

    assert virtual_s >= 3600
    assert polls == pytest.approx(3600 / 10.5, abs=2)
    assert size > 1000
    assert time.monotonic() - before < 10
    assert threading.active_count() == threads


@pytest.mark.parametrize("line", ["status hang", "status late seconds=60"])
def test_a_client_gives_up_after_its_own_timeout(line):
    from batchrunner.simulator import parse_fault

    async def scenario() -> float:
        service = Service(HOUR_LONG, faults=[parse_fault(line)])
        async with client_of(service, timeout=20.0) as client:
            urls = (await client.post(f"/v1/models/{MODEL}", json={"text": "a"})).json()
            began_at = anyio.current_time()
            with pytest.raises(httpx.ReadTimeout):
                await client.get(urls["status_url"])
            return anyio.current_time() - began_at

    assert in_virtual_time(scenario) == pytest.approx(20.0)
