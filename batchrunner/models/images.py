"""Which addresses of images do a job's inputs hold, and is what stands there an image the service can use?

Pure.  What an image is, its first bytes say, not its name and not its host's word for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from .._types import Inputs, Json
from ..containers.strangers import describe
from .findings import Path, field_of
from .lenient import Schema, branch_for
from .schema import InputSchema

MOST_BYTES: Final = 50_000_000
"""What the service recommends at most for an image (API page, "File inputs")."""

HEAD_BYTES: Final = 4096
"""So much of a file is asked for: enough to know it by."""

IMAGE_FORMATS: Final = frozenset({"image_uri", "image_uris"})

MAGIC: Final = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
BRANDS: Final = {b"avif": ".avif", b"avis": ".avif", b"heic": ".heic", b"heix": ".heic", b"mif1": ".heif",
                 b"msf1": ".heif"}  # fmt: skip
"""What AVIF and HEIF files name themselves behind ``ftyp``."""


def image_addresses(schema: InputSchema, inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Yield (field, address) of every image in *inputs*, such as ``images[1]``."""
    found: list[tuple[str, str]] = []

    def note(path: Path, address: str) -> str:
        found.append((field_of(path), address))
        return address

    with_images(schema, inputs, note)
    return iter(found)


def with_images(schema: InputSchema, inputs: Inputs, change: Callable[[Path, str], str]) -> Inputs:
    """Return *inputs* with what *change* makes of each image's address, given the path to it."""
    return {
        name: _changed(schema.properties.get(name, {}), (name,), value, change)
        for name, value in inputs.items()
    }


def _changed(part: Schema, path: Path, value: Json, change: Callable[[Path, str], str]) -> Json:
    match value:
        case str() if branch_for(part, "string").get("format") in IMAGE_FORMATS:
            return change(path, value)
        case list():
            items = branch_for(part, "array").get("items")
            of_each = items if isinstance(items, dict) else {}
            return [_changed(of_each, (*path, number), item, change) for number, item in enumerate(value)]
        case dict():
            known = branch_for(part, "object").get("properties")
            parts = known if isinstance(known, dict) else {}
            return {
                name: _changed(_schema_in(parts, name), (*path, name), item, change)
                for name, item in value.items()
            }
        case _:
            return value


def _schema_in(parts: Schema, name: str) -> Schema:
    part = parts.get(name)
    return part if isinstance(part, dict) else {}


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
    if not extension_of(head):
        return f"not an image: {describe(head)}"
    if size_bytes is not None and size_bytes > MOST_BYTES:
        return f"{size_bytes / 1e6:,.1f} MB, at most {MOST_BYTES / 1e6:.0f} MB are taken"
    return None


def extension_of(head: bytes) -> str:
    """Return the extension of the kind of image that begins with *head*; nothing for any other file."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "")
    return next((extension for first, extension in MAGIC.items() if head.startswith(first)), "")
