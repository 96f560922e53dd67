"""Where do a manifest's bytes come from, and in which format are they?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from ..errors import Usage
from ..models.wording import show


class Format(StrEnum):
    """How a manifest is written."""

    YAML = "yaml"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"


EXTENSIONS: Final = {
    ".yaml": Format.YAML,
    ".yml": Format.YAML,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
}

STDIN: Final = "-"
STDIN_SHOWN: Final = "<stdin>"

IN_MEMORY_BYTES: Final = 16 * 2**20  # of a manifest on a pipe; a longer one goes to disk


def format_of(source: str, given: str | None) -> Format:
    """Return the format *given*, else that of the extension.  Raises Usage when neither tells it."""
    choices = ", ".join(Format)
    if given is not None:
        if given not in list(Format):
            raise Usage(f"{show(given)} is no input format", hint=f"--input-format is one of {choices}")
        return Format(given)
    if source == STDIN:
        raise Usage("standard input has no extension", hint=f"add --input-format ({choices})")
    form = format_by_extension(source)
    if form is None:
        known = ", ".join(EXTENSIONS)
        raise Usage(
            f"{source}: not a manifest by its extension ({known})", hint=f"add --input-format ({choices})"
        )
    return form


def format_by_extension(name: str) -> Format | None:
    """Return the format that the extension of *name* means, None for any other."""
    return EXTENSIONS.get(Path(name).suffix.lower())


@lru_cache(maxsize=16)
def folder_of(file: str) -> Path:
    """Return the folder that paths written in *file* (as problems call it) start from."""
    return Path() if file == STDIN_SHOWN else Path(file).parent


@contextmanager
def opened(source: str, stdin: BinaryIO) -> Iterator[BinaryIO]:
    """Open *source* for reading; standard input stays open afterwards."""
    if source == STDIN:
        yield stdin
    else:
        with Path(source).open("rb") as stream:
            yield stream


@contextmanager
def rewindable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give *stream*, or a copy of one that can be read only once."""
    if stream.seekable():
        yield stream
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as copy:
        copyfileobj(stream, copy)
        copy.seek(0)
        yield cast("BinaryIO", copy)
