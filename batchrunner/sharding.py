"""Which part of a batch is a shard's, and what does it get of the limits that are the whole batch's?

A job is its shard's by a hash of its id alone, so a row that is added or taken out moves no other job.
Pure.  Why so, and what is divided: docs/decisions/0018-shards.md
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from .errors import Usage
from .settings import Settings

SHARDS: Final = "shards"
"""The folder in which the shards' own folders stand."""

SHARD_FACT: Final = "shard"
"""The ledger's fact that names the shard whose it is."""

MOST: Final = 9_999

_WRITTEN: Final = re.compile(r"(\d{1,4})/(\d{1,4})")
_FOLDER: Final = re.compile(r"(\d{2,4})-of-(\d{2,4})")


class Shard(Struct, frozen=True, order=True):
    """The shard *index* (from 1) of *count*."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard written as ``I/N``.  Raises ValueError, in words for people."""
        found = _WRITTEN.fullmatch(text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"{text!r} is no shard such as 2/8: the second of eight, at most {MOST:,}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of_folder(cls, path: Path) -> Self | None:
        """Return whose folder stands at *path*; None where it is no shard's."""
        found = _FOLDER.fullmatch(path.name)
        if found is None or path.parent.name != SHARDS:
            return None
        shard = cls(int(found[1]), int(found[2]))
        return shard if 1 <= shard.index <= shard.count and shard.name == path.name else None

    @property
    def name(self) -> str:
        """What its folder is called, such as ``02-of-08``."""
        digits = max(2, len(str(self.count)))
        return f"{self.index:0{digits}}-of-{self.count:0{digits}}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def holds(self, job_id: str) -> bool:
        """Return whether the job is this shard's: the id's SHA-256, as one big-endian number, modulo N."""
        digest = sha256(job_id.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest, "big") % self.count == self.index - 1

    def share(self, total: int) -> int:
        """Return this shard's part of *total*; the parts of all shards add up to it."""
        return total // self.count + (self.index <= total % self.count)

    def settings(self, whole: Settings, *, at_once: int | None = None) -> Settings:
        """Return the shard's settings where *whole* are those of the batch.

        What is a matter of the moment is shared by those shards that run *at_once* (None: all of them).
        Raises Usage when there would be shards that may not have a single job in flight.
        """
        if whole.concurrency < (at_once or self.count):
            raise Usage(
                f"--concurrency {whole.concurrency} is of the whole batch, and there are"
                f" {at_once or self.count} shards at once: some would get nothing",
                hint=f"such as --concurrency {at_once or self.count}, one job in flight for each shard",
            )
        return replace(
            whole,
            concurrency=whole.concurrency // at_once if at_once else self.share(whole.concurrency),
            poll_rate=None if whole.poll_rate is None else whole.poll_rate / (at_once or self.count),
            limit=None if whole.limit is None else self.share(whole.limit),
            max_cost_micros=None if whole.max_cost_micros is None else self.share(whole.max_cost_micros),
        )
