"""Which addresses of images do a job's inputs hold, and is what stands there an image the service can use?

Pure.  What an image is, its first bytes say, not its name and not its host's word for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .._types import Inputs, Json
from ..containers.strangers import describe
from .lenient import Schema, branch_for
from .schema import InputSchema

MOST_BYTES: Final = 50_000_000
"""What the service recommends at most for an image (API page, "File inputs")."""

HEAD_BYTES: Final = 4096
"""So much of a file is asked for: enough to know it by."""

IMAGE_FORMATS: Final = frozenset({"image_uri", "image_uris"})

MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
BRANDS: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"})
"""What AVIF and HEIF files name themselves behind ``ftyp``."""


def image_addresses(schema: InputSchema, inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Yield (field, address) of every image in *inputs*, such as ``images[1]``."""
    for name, value in inputs.items():
        yield from _addresses(schema.properties.get(name, {}), name, value)


def _addresses(part: Schema, field: str, value: Json) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            if branch_for(part, "string").get("format") in IMAGE_FORMATS:
                yield field, value
        case list():
            items = branch_for(part, "array").get("items")
            for number, item in enumerate(value):
                yield from _addresses(items if isinstance(items, dict) else {}, f"{field}[{number}]", item)
        case dict():
            properties = branch_for(part, "object").get("properties")
            inner = properties if isinstance(properties, dict) else {}
            for name, item in value.items():
                own = inner.get(name)
                yield from _addresses(own if isinstance(own, dict) else {}, f"{field}.{name}", item)


def status_problem(status: int) -> str | None:
    """Return what an HTTP *status* says against the address; None for an answer with bytes."""
    if status in (200, 206):
        return None
    if status in (401, 403, 407, 451):
        return f"HTTP {status}: its host gives it to nobody without a login, or blocks programs"
    if status in (404, 410):
        return f"HTTP {status}: there is nothing at this address"
    if status == 429:
        return "HTTP 429: its host limits how often it may be asked for"
    return f"HTTP {status}: its host does not give it out"


def content_problem(head: bytes, size_bytes: int | None) -> str | None:
    """Return why a file that begins with *head* cannot be used, None when it can."""
    if not head:
        return "there are no bytes at this address"
    if not _is_image(head):
        return f"not an image: {describe(head)}"
    if size_bytes is not None and size_bytes > MOST_BYTES:
        return f"{size_bytes / 1e6:,.1f} MB, at most {MOST_BYTES / 1e6:.0f} MB are taken"
    return None


def _is_image(head: bytes) -> bool:
    if head.startswith(MAGIC):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS
