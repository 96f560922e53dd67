"""Films fetched, hashed, checked and synced as a run does it, and what that costs this process.

    python -m benchmarks.programs.fetch_films ADDRESS FOLDER COUNT AT_ONCE

As in a run a film is finished outside the slot it was received in.  Prints one JSON object; start and imports
are not counted, the sync of the last film is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import anyio

from batchrunner.client import Client
from batchrunner.download import Transfer
from batchrunner.event_loop import run
from batchrunner.files.shelf import DiskShelf
from batchrunner.pool.saving import Turn


async def fetch(client: Client, shelf: DiskShelf, turn: Turn, address: str, number: int) -> int:
    async with shelf.begin(f"{number}") as part:
        await Transfer(part, 2 << 30).fetch(client, f"{address}/film/{number}.mp4")
        await turn.finish()
        sealed = await part.seal()
        await shelf.keep(part, f"videos/{number}.mp4")
    return sealed.size_bytes


async def main(address: str, folder: Path, count: int, at_once: int) -> dict[str, float]:
    receiving, finishing = anyio.CapacityLimiter(at_once), anyio.CapacityLimiter(at_once)
    shelf = DiskShelf(folder)
    fetched = 0

    async def one(number: int) -> None:
        nonlocal fetched
        turn = Turn(receiving, finishing)
        try:
            await turn.receive()
            size_bytes = await fetch(client, shelf, turn, address, number)
        finally:
            turn.end()
        fetched += size_bytes

    async with Client(address, "benchmark") as client:
        cpu_s, began = time.process_time(), time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(1, count + 1):
                tasks.start_soon(one, number)
        return {
            "bytes": fetched, "cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - began,
        }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
