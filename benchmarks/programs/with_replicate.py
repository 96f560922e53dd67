"""The batch by replicate's client, as its documentation shows it: create a prediction, wait, download.

PEER_PYTHON with_replicate.py ADDRESS MANIFEST.jsonl FOLDER MODEL SLOTS
"""

import asyncio
import json
import sys
from pathlib import Path

import httpx
import replicate


async def one(client, films, slots, folder: Path, job: str) -> None:
    inputs = json.loads(job)
    name = inputs.pop("id")
    async with slots:
        prediction = await client.predictions.async_create(version="0" * 64, input=inputs)
        await prediction.async_wait()
        film = await films.get(prediction.output)
        (folder / f"{name}.mp4").write_bytes(film.content)


async def run(address: str, jobs: list[str], folder: Path, slots: int) -> None:
    client = replicate.Client(api_token="benchmark", base_url=address)
    free = asyncio.Semaphore(slots)
    async with httpx.AsyncClient(timeout=60) as films:
        await asyncio.gather(*(one(client, films, free, folder, job) for job in jobs))


def main(address: str, manifest: str, folder: str, model: str, slots: str) -> None:
    Path(folder).mkdir()
    jobs = Path(manifest).read_text("utf-8").splitlines()
    asyncio.run(run(address, jobs, Path(folder), int(slots)))


if __name__ == "__main__":
    main(*sys.argv[1:])
