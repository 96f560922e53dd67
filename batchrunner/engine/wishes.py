"""What the user says about the cluster, and what follows from it.  Pure."""

from __future__ import annotations

import os
from typing import Final

from msgspec import Struct

from ..errors import FolderUnusable, Usage
from ..settings import Settings
from ..sharding import MOST

SHARDS_PER_WORKER: Final = 4
"""So that whoever is done early takes over from who is slow; each shard reads the whole manifest once."""


class Wishes(Struct, frozen=True, kw_only=True):
    """``--scheduler``, ``--workers`` and ``--shards``."""

    scheduler: str | None = None
    """The address of a cluster that is there; None starts one on this machine."""
    workers: int | None = None
    """Shards at once; None: one for each worker of the cluster, or each CPU of this machine."""
    shards: int | None = None

    @property
    def local_workers(self) -> int:
        return self.workers or os.cpu_count() or 1

    def decide_shards(self, at_once: int, recorded: int | None) -> int:
        """Return in how many shards the batch is, *recorded* already or not.

        Raises FolderUnusable where other ones are asked for, and Usage for too many.
        """
        if recorded is None:
            count = self.shards or min(SHARDS_PER_WORKER * at_once, MOST)
            if count > MOST:
                raise Usage(f"--shards {count}: at most {MOST:,}", hint=f"such as --shards {4 * at_once}")
            return count
        if self.shards not in (None, recorded):
            raise FolderUnusable(
                f"the batch is in {recorded} shards, not in {self.shards}:"
                " another number would pay for jobs again",
                hint="leave --shards out, or make one ledger of them with `batchrunner merge` first",
            )
        return recorded


def check_divisible(settings: Settings, at_once: int) -> None:
    """Raise Usage where a shard could not have a single job in flight."""
    if settings.concurrency < at_once:
        raise Usage(
            f"--concurrency {settings.concurrency} is of the whole batch, and {at_once} workers share it:"
            " some would get nothing",
            hint=f"such as --concurrency {8 * at_once}, or fewer --workers",
        )
