"""A simulated service that is reached in process or over loopback; a test that asks for `connect` runs on
both.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx
import pytest

from batchrunner.simulator import Service, SimulatorSettings, parse_fault, serve, transport
from batchrunner.simulator.settings import Films

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
TOKEN = {"Authorization": "Bearer test-token"}
AT_ONCE = SimulatorSettings(service_time_s=0.0, spread=0.0, films=Films.TINY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A client and the service behind it."""

    client: httpx.AsyncClient
    service: Service

    async def submit(self, text: str = "a fox", **inputs: object) -> httpx.Response:
        body = {"text": text, "images": ["https://images.example.com/fox.png"], **inputs}
        return await self.client.post(f"/v1/models/{MODEL}", json=body)

    async def submitted(self, text: str = "a fox") -> str:
        request_id: str = (await self.submit(text)).json()["request_id"]
        return request_id

    async def status(self, request_id: str) -> httpx.Response:
        return await self.client.get(f"/v1/requests/{request_id}/status")

    async def result(self, request_id: str) -> httpx.Response:
        return await self.client.get(f"/v1/requests/{request_id}/result")

    async def link(self, request_id: str) -> str:
        url: str = (await self.result(request_id)).json()["output"]["video"]
        return url

    async def download(self, url: str, **headers: str) -> httpx.Response:
        """As a careful client does it: without the token."""
        request = self.client.build_request("GET", url, headers=headers)
        del request.headers["authorization"]
        return await self.client.send(request)


Connect = Callable[..., AbstractAsyncContextManager[Connected]]


def _client(url: str, over: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=over, base_url=url, headers=TOKEN, timeout=0.5, trust_env=False)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["in process", "over loopback"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Return `connect(settings, faults)`; faults are written as lines."""

    @asynccontextmanager
    async def connected(
        settings: SimulatorSettings = AT_ONCE, faults: Iterable[str] = ()
    ) -> AsyncIterator[Connected]:
        service = Service(settings, faults=[parse_fault(line) for line in faults])
        if request.param == "in process":
            async with _client("http://simulator.test", transport(service, time.time)) as client:
                yield Connected(client=client, service=service)
            return
        async with anyio.create_task_group() as tasks:
            port = await tasks.start(serve, service)
            async with _client(f"http://127.0.0.1:{port}", None) as client:
                yield Connected(client=client, service=service)
            tasks.cancel_scope.cancel()

    return connected
