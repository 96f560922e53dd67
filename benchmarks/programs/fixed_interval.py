"""The naive peer: a script as one writes it with httpx, which holds its slot and looks every two seconds.

    python -m benchmarks.programs.fixed_interval ADDRESS MANIFEST.jsonl FOLDER MODEL SLOTS

It keeps no ledger, checks nothing and tries nothing again: less work a job than a runner must do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx

INTERVAL_S = 2.0


async def one(
    client: httpx.AsyncClient, slots: asyncio.Semaphore, folder: Path, model: str, job: str
) -> None:
    inputs = json.loads(job)
    name = inputs.pop("id")
    async with slots:
        accepted = (await client.post(f"/v1/models/{model}", json=inputs)).json()
        status = "in_queue"
        while status in ("in_queue", "in_progress"):
            await asyncio.sleep(INTERVAL_S)
            status = (await client.get(accepted["status_url"])).json()["status"]
        result = (await client.get(accepted["result_url"])).json()
        film = await client.get(result["output"]["video"])
        (folder / f"{name}.mp4").write_bytes(film.content)


async def run(address: str, jobs: list[str], folder: Path, model: str, slots: int) -> None:
    free = asyncio.Semaphore(slots)
    headers = {"Authorization": "Bearer benchmark"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        await asyncio.gather(*(one(client, free, folder, model, job) for job in jobs))


def main(address: str, manifest: str, folder: str, model: str, slots: str) -> None:
    Path(folder).mkdir()
    jobs = Path(manifest).read_text("utf-8").splitlines()
    asyncio.run(run(address, jobs, Path(folder), model, int(slots)))


if __name__ == "__main__":
    main(*sys.argv[1:])
