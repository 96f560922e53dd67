"""How does a local image get an address that the service can fetch, just before its job is submitted?

Each image goes up once, under the hash of its bytes: what stands there already, with the right length, is
taken for it.  Only images that a job about to be submitted names go up.  The address is signed anew for
every submission and is never written down.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import anyio
import anyio.to_thread

from .._types import Inputs
from ..errors import ManifestInvalid
from ..objects import Bucket, Place, StoreTrouble
from .reference import REFERENCE, references_in, staged_name, with_addresses

LIFE: Final = timedelta(days=7)
"""How long an address can be fetched from: the most that S3 and Google sign for.  It has to outlast the
service's queue; a job that is submitted again gets a new one."""

LOOKED_AT_S: Final = 3600.0
"""So long it is believed that an image is still where it was seen: a bucket may delete what is old."""

Find = Callable[[str], Awaitable["tuple[str, int] | None"]]
"""Gives (path, bytes) of the file that a reference stands for; None for text that only looks like one."""

Tell = Callable[[str, int], None]
"""Is told the reference and the bytes of what went up."""


class Staging(Protocol):
    """What a submission needs of its images."""

    async def put(self, inputs: Inputs) -> None:
        """Let every image that *inputs* name be where it can be fetched.  See `Stage.put`."""

    async def addressed(self, inputs: Inputs) -> Inputs:
        """Return *inputs* as they are sent: with addresses in the place of references."""


class HostedOnly:
    """There are no local images."""

    async def put(self, inputs: Inputs) -> None:
        pass

    async def addressed(self, inputs: Inputs) -> Inputs:
        return inputs


class Stage:
    """Local images in a bucket."""

    def __init__(self, place: Place, find: Find, tell: Tell, *, plain_http: bool) -> None:
        """*plain_http* lets addresses be ``http://``: for a service on this machine."""
        self._place = place
        self._find = find
        self._tell = tell
        self._plain_http = plain_http
        self._bucket: Bucket | None = None
        self._seen_at: dict[str, float] = {}
        self._locks: dict[str, anyio.Lock] = {}

    async def put(self, inputs: Inputs) -> None:
        """Raises Usage, StoreTrouble, and ManifestInvalid for a file that is not what it was."""
        for reference in dict.fromkeys(references_in([*inputs.values()])):
            async with self._locks.setdefault(reference, anyio.Lock()):
                await self._put(reference)

    async def _put(self, reference: str) -> None:
        seen_at = self._seen_at.get(reference)
        if seen_at is not None and time.monotonic() - seen_at < LOOKED_AT_S:
            return
        image = await self._find(reference)
        if image is None:
            return
        path, size_bytes = image
        bucket, name = await self._opened(), staged_name(reference)
        there = await bucket.look(name)
        if there is None or there.size_bytes != size_bytes:
            content = await anyio.to_thread.run_sync(_read, Path(path), reference)
            await bucket.put(name, content, sha256=name.partition(".")[0])
            self._tell(reference, size_bytes)
        self._seen_at[reference] = time.monotonic()

    async def addressed(self, inputs: Inputs) -> Inputs:
        """Raises StoreTrouble."""
        addresses: dict[str, str] = {}
        for reference in references_in([*inputs.values()]):
            if reference in self._seen_at and reference not in addresses:
                addresses[reference] = await (await self._opened()).sign(staged_name(reference), LIFE)
        return with_addresses(inputs, addresses)

    async def _opened(self) -> Bucket:
        if self._bucket is None:
            self._bucket = await open_stage(self._place, plain_http=self._plain_http)
        return self._bucket


async def open_stage(place: Place, *, plain_http: bool) -> Bucket:
    """Open *place* and make sure that it gives addresses of use.  Raises Usage and StoreTrouble."""
    bucket = Bucket(place)
    example = await bucket.sign("example", LIFE)
    if not (example.startswith("https://") or plain_http):
        raise StoreTrouble(
            f"{place} gives http:// addresses, the service fetches https:// ones only",
            hint="name an endpoint with https:// in AWS_ENDPOINT_URL",
        )
    return bucket


def _read(path: Path, reference: str) -> bytes:
    """Return the bytes of an image.  Raises ManifestInvalid when they are not those that were looked at."""
    found = REFERENCE.fullmatch(reference)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _changed(f"{path} cannot be read any more: {error.strerror}") from None
    if found is None or hashlib.sha256(content).hexdigest() != found[1].partition(".")[0]:
        raise _changed(f"{path} is not the image it was when the manifest was read")
    return content


def _changed(message: str) -> ManifestInvalid:
    return ManifestInvalid(
        f"{message}; its job was not sent",
        hint="put it back, or run the manifest again: another picture makes an edited row",
    )
