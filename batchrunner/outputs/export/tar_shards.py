"""WebDataset: tar shards of samples, ``KEY.mp4`` + ``KEY.json`` + ``KEY.txt``.

A sample's key ends at the first dot, and samples are what stands together under one key: so a key is a number
in manifest order and what is left of the id, without dots and slashes.  ``.json`` is the job's line as in
``results.jsonl``, ``.txt`` its prompt; further outputs are ``KEY.2.mp4``.  Owners, modes and times are the
same for all, so equal films make equal shards.  Source: https://github.com/webdataset/webdataset (The Format)
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...ledger import Store
from ...names import safe_stem
from ..lines import json_line
from ..results import read_results
from .subject import Exported, Options, film_path, saved_outputs

PROMPTS: Final = ("prompt", "text")
"""Inputs that hold a prompt, by the names models give it."""

KEY_CHARACTERS: Final = 60
"""Of the id; with its number a name stays within tar's oldest limit of 100 bytes for plain ids."""

_NO_KEY: Final = re.compile(r"[.\s/\\]+")


def write_shards(store: Store, folder: Path, to: Path, options: Options) -> Exported:
    """Write the jobs that have films into ``00000.tar``, ``00001.tar``, ... in *to*."""
    jobs = files = 0
    with closing(_Shards(to, options)) as shards:
        for line in read_results(store, options.where):
            saved = len(saved_outputs(line))
            if saved:
                shards.add(_sample(folder, line, jobs))
                jobs, files = jobs + 1, files + saved
    return Exported(jobs=jobs, files=files)


def key_of(number: int, job_id: str) -> str:
    """Return the key of a job: unique by its *number*, readable by its id."""
    return f"{number:08d}-{_NO_KEY.sub('_', safe_stem(job_id))[:KEY_CHARACTERS]}"


def _sample(folder: Path, line: dict[str, Any], number: int) -> Iterator[tuple[str, int, BinaryIO]]:
    """Yield (name, size, bytes) of each member of a job's sample."""
    key = key_of(number, line["id"])
    for n, output in enumerate(line["outputs"], start=1):
        if output["file"]:
            path = film_path(folder, output)
            with path.open("rb") as film:
                yield f"{key}{'' if n == 1 else f'.{n}'}{path.suffix}", output["bytes"], film
    yield _text(f"{key}.json", json_line(line))
    prompts = (line["inputs"].get(name) for name in PROMPTS)
    prompt = next((text for text in prompts if isinstance(text, str)), None)
    if prompt is not None:
        yield _text(f"{key}.txt", prompt)


def _text(name: str, text: str) -> tuple[str, int, BinaryIO]:
    raw = text.encode("utf-8", "replace")
    return name, len(raw), BytesIO(raw)


class _Shards:
    """The tar files, one after the other; a job is never torn apart."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder, self._options = folder, options
        self._made = self._jobs = 0
        self._tar: tarfile.TarFile | None = None

    def add(self, members: Iterator[tuple[str, int, BinaryIO]]) -> None:
        tar = self._open()
        for name, size, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = size, 0o644
            tar.addfile(member, content)
        self._jobs += 1
        if self._jobs >= self._options.shard_jobs or tar.offset >= self._options.shard_bytes:
            self.close()

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()
        self._tar, self._jobs = None, 0

    def _open(self) -> tarfile.TarFile:
        if self._tar is None:
            path = self._folder / f"{self._made:05d}.tar"
            self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed by close)
            self._made += 1
        return self._tar
