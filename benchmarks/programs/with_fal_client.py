"""The batch by fal-client, as its documentation shows it: submit, get, download.

    PEER_PYTHON with_fal_client.py ADDRESS MANIFEST.jsonl FOLDER MODEL SLOTS

The library knows only its own host, so the address of its queue is put in its place.
"""

import asyncio
import json
import sys
from pathlib import Path

import fal_client.client
import httpx


async def one(fal, films, slots, folder: Path, model: str, job: str) -> None:
    inputs = json.loads(job)
    name = inputs.pop("id")
    async with slots:
        handle = await fal.submit(model, arguments=inputs)
        result = await handle.get()
        film = await films.get(result["video"]["url"])
        (folder / f"{name}.mp4").write_bytes(film.content)


async def run(jobs: list[str], folder: Path, model: str, slots: int) -> None:
    fal, free = fal_client.client.AsyncClient(key="benchmark"), asyncio.Semaphore(slots)
    async with httpx.AsyncClient(timeout=60) as films:
        await asyncio.gather(*(one(fal, films, free, folder, model, job) for job in jobs))


def main(address: str, manifest: str, folder: str, model: str, slots: str) -> None:
    fal_client.client.QUEUE_URL_FORMAT = f"{address}/fal/"
    Path(folder).mkdir()
    jobs = Path(manifest).read_text("utf-8").splitlines()
    asyncio.run(run(jobs, Path(folder), model, int(slots)))


if __name__ == "__main__":
    main(*sys.argv[1:])
