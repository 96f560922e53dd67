"""Many jobs that look at their status again and again, and what a look costs this process.

    python -m benchmarks.programs.open_looks ours|httpx|aiohttp ADDRESS JOBS SECONDS

Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

PATH: Final = "/v1/requests/00000000-0000-0000-0000-000000000000/status"
HEADERS: Final = {"Authorization": "Bearer benchmark"}
WARMING_S: Final = 1.0

Look: TypeAlias = Callable[[], Awaitable[object]]


@asynccontextmanager
async def ours(address: str) -> AsyncIterator[Look]:
    from batchrunner._types import RequestId
    from batchrunner.client import Client

    async with Client(address, "benchmark") as client:
        yield lambda: client.status(RequestId("00000000-0000-0000-0000-000000000000"))


@asynccontextmanager
async def by_httpx(address: str) -> AsyncIterator[Look]:
    import httpx

    async with httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=60) as client:

        async def look() -> object:
            return (await client.get(PATH)).json()

        yield look


@asynccontextmanager
async def by_aiohttp(address: str) -> AsyncIterator[Look]:
    import aiohttp

    async with aiohttp.ClientSession(address, headers=HEADERS) as session:

        async def look() -> object:
            async with session.get(PATH) as response:
                return await response.json()

        yield look


CLIENTS: Final = {"ours": ours, "httpx": by_httpx, "aiohttp": by_aiohttp}


async def measure(name: str, address: str, jobs: int, seconds: float) -> dict[str, float]:
    looks = 0

    async def job(look: Look) -> None:
        nonlocal looks
        while True:
            await look()
            looks += 1

    async with CLIENTS[name](address) as look:
        tasks = [asyncio.create_task(job(look)) for _ in range(jobs)]
        await asyncio.sleep(WARMING_S)
        before, cpu_s, began = looks, time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        done, cpu_s, wall_s = looks - before, time.process_time() - cpu_s, time.perf_counter() - began
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"cpu_ms": 1000 * cpu_s / max(1, done), "per_s": done / wall_s}


if __name__ == "__main__":
    client, address, jobs, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(client, address, int(jobs), float(seconds)))))
