"""In how many shards is a folder, which of them have begun, and what does that forbid?  As it is on the disk.

``DIR/shards/`` comes into being by one rename, with the number of shards in it, so N processes that start at
the same instant see the same number or none.  It goes away by one rename, too, when `merge` has made one
ledger of theirs.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .errors import FolderUnusable
from .files.disk import make_folder, replaced_file, sync_folder
from .sharding import SHARDS, Shard

COUNT: Final = "count"
"""The file that holds the number of shards."""

MERGED: Final = "merged.sqlite"
"""One ledger of all the shards' ledgers: from the moment it stands under this name they are history."""

ASIDE: Final = "shards.merged"
"""Where the shards' folders are put when they are history."""


def recorded_count(whole: Path) -> int | None:
    """Return in how many shards the folder *whole* is; None for one that has no shards."""
    try:
        written = (whole / SHARDS / COUNT).read_text("ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        written = "?"
    if not written.strip().isdecimal():
        raise FolderUnusable(
            f"{whole / SHARDS / COUNT} does not hold the number of shards",
            hint=f"write the N of its folders II-of-NN into it, as in {Shard(1, 3).name}",
        )
    return int(written)


def record_count(whole: Path, count: int) -> None:
    """Say that the folder *whole* is in *count* shards from now on, whoever else may say so at this instant.

    Whoever comes second changes nothing.  Raises FolderUnusable for a folder ``shards`` that is not ours.
    """
    made = whole / f".{SHARDS}-{secrets.token_hex(8)}"
    make_folder(made)
    with replaced_file(made / COUNT) as file:
        file.write(f"{count}\n")
    try:
        os.rename(made, whole / SHARDS)  # noqa: PTH104 (Path.rename would say the same)
    except OSError as error:  # there is one already: rename replaces an empty folder only
        shutil.rmtree(made)
        if recorded_count(whole) is None:
            raise FolderUnusable(
                f"{whole / SHARDS} is in the way: the shards' folders would go there",
                hint="move it away, or choose another folder with -o",
            ) from error
    sync_folder(whole)


def shard_paths(whole: Path) -> Iterator[tuple[Shard, Path]]:
    """Yield each shard whose folder exists, in order."""
    count = recorded_count(whole)
    for index in range(1, (count or 0) + 1):
        shard = Shard(index, count or 0)
        path = whole / SHARDS / shard.name
        if path.is_dir():
            yield shard, path


def is_merging(whole: Path) -> bool:
    """Return whether a merge has begun that must be finished before anything else happens."""
    return (whole / SHARDS / MERGED).exists()


def check_unsharded(whole: Path, *, has_one_ledger: bool) -> None:
    """Raise FolderUnusable when *whole* is in shards: what runs there runs in one of them."""
    count = recorded_count(whole)
    if count is None:
        return
    if has_one_ledger or is_merging(whole):
        raise unfinished_merge(whole)
    raise FolderUnusable(
        f"{whole} is in {count} shards, each with a ledger of its own",
        hint=f"name one with --shard I/{count}, or its folder, such as"
        f" {whole / SHARDS / Shard(1, count).name}; `batchrunner merge {whole}` makes one ledger of them",
    )


def check_shard(whole: Path, shard: Shard, *, has_one_ledger: bool) -> None:
    """Raise FolderUnusable when *shard* is not one of those *whole* is in, or may not go on by itself.

    *has_one_ledger*: *whole* has a ledger of its own, which holds all its jobs.
    """
    count = recorded_count(whole)
    if is_merging(whole) or (has_one_ledger and count is not None):
        raise unfinished_merge(whole)
    if has_one_ledger:
        merged = ", made by `merge`" if (whole / ASIDE).exists() else ""
        raise FolderUnusable(
            f"{whole} has one ledger for all its jobs{merged}: a shard beside it could pay for them again",
            hint="leave --shard out, or choose another folder with -o",
        )
    if count not in (None, shard.count):
        begun = any(shard_paths(whole))
        raise FolderUnusable(
            f"{whole} is in {count} shards, not in {shard.count}: another number would pay for jobs again",
            hint=f"go on with --shard I/{count}, or make one ledger of them: batchrunner merge {whole}"
            if begun
            else f"no shard has begun: delete {whole / SHARDS} to choose another number",
        )


def unfinished_merge(whole: Path) -> FolderUnusable:
    return FolderUnusable(
        f"a merge of {whole} is on, or was cut off before its end",
        hint=f"`batchrunner merge {whole}` finishes it",
    )
