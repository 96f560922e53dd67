"""Can the service fetch these images?  Each distinct address is looked at once, before anything is paid.

The beginning of each file is fetched as the service would fetch it: without a login.  Addresses inside the
user's own network are refused, as for downloads, unless the API is on this machine too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from typing import Final

import anyio
from msgspec import Struct

from ._types import Inputs, Place, Problem
from .client import Client, Download, DownloadBroken, DownloadRefused
from .errors import ManifestInvalid
from .models import Schemas
from .models.images import HEAD_BYTES, MOST_BYTES, content_problem, image_addresses, status_problem
from .models.wording import counted, show
from .policy.backoff import POLL_ERROR
from .staging import is_reference

AT_ONCE: Final = 16

TRIES: Final = 3
"""A host that is busy, or a connection that breaks, gets so many."""

SILENT_S: Final = 60.0
"""How long one look may take in all."""

HINT: Final = "put it on a public host that serves it to anybody, or give a pre-signed address"


class Sighting(Struct, frozen=True, kw_only=True):
    """One use of an address in a manifest."""

    address: str
    place: Place
    id: str
    field: str


def sightings(jobs: Iterable[tuple[str, str, int, str, Inputs]], schemas: Schemas) -> Iterator[Sighting]:
    """Yield every image that *jobs* (id, file, row, model, inputs) name."""
    for job_id, file, row, model, inputs in jobs:
        schema = schemas.get(model)
        for field, address in image_addresses(schema, inputs) if schema else ():
            if is_reference(address):  # a local file: looked at with its row
                continue
            yield Sighting(address=address, place=Place(file=file, line=row, row=row), id=job_id, field=field)


async def check_images(client: Client, found: Iterable[Sighting]) -> None:
    """Look at every address once.  Raises ManifestInvalid, naming each row that uses a bad one."""
    uses: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in found:
        uses[sighting.address].append(sighting)
    wrong = await _wrong_ones(client, list(uses))
    problems = [_problem(use, why) for address, why in wrong.items() for use in uses[address]]
    if problems:
        problems.sort(key=lambda problem: (problem.place.file, problem.place.line, problem.field or ""))
        images = f"{len(wrong):,} of {counted(len(uses), 'image')}"
        raise ManifestInvalid(f"{images} cannot be used; nothing was sent", problems)


def _problem(use: Sighting, why: str) -> Problem:
    message = f"{show(use.address)}: {why}"
    return Problem(place=use.place, id=use.id, field=use.field, message=message, hint=HINT)


async def _wrong_ones(client: Client, addresses: list[str]) -> dict[str, str]:
    """Return what is wrong with each address that is no good."""
    wrong: dict[str, str] = {}
    waiting = iter(addresses)

    async def look_at_each() -> None:
        for address in waiting:
            why = await _look(client, address)
            if why is not None:
                wrong[address] = why

    async with anyio.create_task_group() as tasks:
        for _ in range(min(AT_ONCE, len(addresses))):
            tasks.start_soon(look_at_each)
    return wrong


async def _look(client: Client, address: str) -> str | None:
    why: str | None = "its host does not answer"
    for tries in range(1, TRIES + 1):
        try:
            with anyio.fail_after(SILENT_S):
                async with client.download(address, {"Range": f"bytes=0-{HEAD_BYTES - 1}"}) as answer:
                    why = status_problem(answer.status) or await _content_problem(answer)
            if answer.status != 429 and answer.status < 500:
                return why
        except DownloadRefused as refused:
            return str(refused)
        except DownloadBroken as broken:
            why = f"it cannot be reached: {broken}"
        except TimeoutError:
            why = f"its host gave no answer within {SILENT_S:g} s"
        if tries < TRIES:
            await anyio.sleep(POLL_ERROR.delay_s(tries, 0.5))
    return why


async def _content_problem(answer: Download) -> str | None:
    """Judge a file by its first bytes and its length; where no length is given, by reading on."""
    size = _size(answer)
    head, seen = b"", 0
    async with aclosing(answer.chunks(HEAD_BYTES)) as chunks:
        async for chunk in chunks:
            head, seen = (head + chunk)[:HEAD_BYTES], seen + len(chunk)
            if (size is not None and len(head) >= HEAD_BYTES) or seen > MOST_BYTES:
                break
    return content_problem(head, seen if size is None else size)


def _size(answer: Download) -> int | None:
    """Return the whole file's length where the answer says it."""
    whole = answer.headers.get("content-range", "").rpartition("/")[2]
    if answer.status != 206:
        whole = answer.headers.get("content-length", "")
    return int(whole) if whole.isascii() and whole.isdigit() else None
