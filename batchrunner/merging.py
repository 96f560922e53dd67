"""Shards -> one folder: one ledger of theirs, their films beside it, and the shards' folders put aside.

It may be killed at any point; the same command goes on from there.  What is true changes at one instant: the
rename that gives the finished ledger its name in ``shards/``.  Before it the shards' ledgers are the truth
and nothing else has been touched; after it they are history, and no shard runs again.  Then films are moved,
the ledger is put in its place, results are written, and ``shards/`` is renamed.  Why in this order:
docs/decisions/0018-shards.md
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .causes import Address
from .errors import FolderUnusable, ManifestMissing
from .files.disk import disk_errors_named, make_folder, move_durably, sync_folder
from .folder.folder import Folder
from .folder.lease import Lease, kept
from .folder.ownership import USUAL, check_complete
from .ledger import Store
from .ledger.folding import fold, forget_moves, moves, settle_names
from .manifest.named import MANIFEST_FACT
from .outputs.dataset import write_data_set
from .outputs.report import NAME, write_report
from .outputs.results import write_results
from .service import base_url_to_name
from .sharding import SHARDS, Shard
from .shards import ASIDE, MERGED, recorded_count
from .simulator.memory import Accepted, FileMemory

MOST_WATCHED: Final = 32
"""Leases that are watched at the same time."""

NOT_YET: Final = f".{MERGED}.part"


class Merged(Struct, frozen=True, kw_only=True):
    """What a merge has done."""

    jobs: int
    shards: int = 0
    """How many there were; 0 where there was one ledger already."""
    not_begun: tuple[Shard, ...] = ()
    """Shards that had nothing to add: the next run takes their jobs in."""
    aside: Path | None = None
    """Where what the shards' folders still hold was put."""


def merge(whole: Folder, tell: Callable[[str], None] = lambda words: None) -> Merged:
    """Make one folder of *whole*'s shards, or finish what an earlier merge began.

    *tell* hears for how long another machine's leases are watched.

    Raises FolderUnusable while a shard is owned, and ManifestMissing where there is nothing to merge.
    """
    with disk_errors_named():
        shards = recorded_count(whole.path)
        if shards is None:
            whole.require_ledger()
            with closing(Store.read_only(whole.ledger)) as store:
                return Merged(jobs=sum(store.counts().values()))
        with whole.locked() as lock, ExitStack() as held:
            lock.write(left_open=lock.left_open)
            leases: list[Lease] = []
            not_begun = _own(whole, shards, held, leases)
            _take(leases, tell)
            held.enter_context(kept(*leases))
            merged = whole.path / SHARDS / MERGED
            if not whole.has_ledger() and not merged.exists():
                _make_ledger(whole, shards, leases)
            if merged.exists():
                _move_films(whole, merged)
                _merge_memories(whole)
                move_durably(merged, whole.ledger)
                sync_folder(merged.parent)
            jobs = _leave_files(whole)
            aside = _put_aside(whole)
    return Merged(jobs=jobs, shards=shards, not_begun=tuple(not_begun), aside=aside)


def _own(whole: Folder, shards: int, held: ExitStack, leases: list[Lease]) -> list[Shard]:
    """Lock every shard until *held* lets go, those too that have not begun, and return these.

    Their leases go into *leases*.

    Raises FolderUnusable when somebody owns one, or one is not complete.
    """
    not_begun = []
    for index in range(1, shards + 1):
        folder = whole.of_shard(Shard(index, shards))
        make_folder(folder.path)
        lock = held.enter_context(folder.locked())
        leases.append(Lease(folder.path, USUAL))
        lock.write(left_open=lock.left_open)  # named as ours; whether its ledger was closed stays as it was
        if folder.has_ledger():
            check_complete(folder, lock)
        else:
            folder.check_no_results()
            not_begun.append(Shard(index, shards))
    return not_begun


def _take(leases: list[Lease], tell: Callable[[str], None]) -> None:
    """Take all leases; a machine that died with many of them is waited out once."""
    with ThreadPoolExecutor(MOST_WATCHED, thread_name_prefix="lease") as threads:
        for taken in [threads.submit(lease.take, tell) for lease in leases]:
            taken.result()


def _make_ledger(whole: Folder, shards: int, leases: Iterable[Lease]) -> None:
    """Make the one ledger, with every file's new name in it, and at last give it its own name."""
    parts = whole.shards()
    if not parts:
        raise ManifestMissing(
            f"no shard of {whole.path} has begun: there is nothing to merge",
            hint=f"delete {whole.path / SHARDS} to run it without shards",
        )
    unfinished = whole.path / SHARDS / NOT_YET
    for left in unfinished.parent.glob(f"{NOT_YET}*"):
        left.unlink()
    with closing(Store.in_the_making(unfinished, durable=False)) as store:
        for part in parts:
            fold(store, part.ledger, f"{SHARDS}/{part.path.name}")
        settle_names(store, lambda file: os.path.lexists(whole.path / file))
        if len(parts) == shards:
            _keep_manifest(store, parts)
    with unfinished.open("rb") as file:
        os.fsync(file)
    for lease in leases:
        lease.check()
    move_durably(unfinished, whole.path / SHARDS / MERGED)


def _keep_manifest(store: Store, parts: Iterable[Folder]) -> None:
    """Let the next run know that it need not read the manifest again, where all shards had the same."""
    records = set()
    for part in parts:
        with closing(Store.read_only(part.ledger)) as one:
            records.add(one.fact(MANIFEST_FACT))
    if len(records) == 1:
        with store.transaction():
            store.set_fact(MANIFEST_FACT, records.pop())


def _move_films(whole: Folder, merged: Path) -> None:
    """Move every film to the name the ledger has for it; those moved already are where they belong."""
    touched: set[Path] = set()
    with closing(Store.in_the_making(merged, durable=True)) as store:
        for source, target in moves(store):
            old, new = whole.path / source, whole.path / target
            if not os.path.lexists(old):
                continue
            if os.path.lexists(new):
                raise FolderUnusable(
                    f"{new} is in the way: {source} was to be moved there",
                    hint=f"move it away, then go on with `batchrunner merge {whole.path}`",
                )
            for parent in reversed(PurePosixPath(target).parents[:-1]):
                make_folder(whole.path / parent)
            old.rename(new)
            touched.update((old.parent, new.parent))
        for folder in touched:
            sync_folder(folder)
        forget_moves(store)


def _merge_memories(whole: Folder) -> None:
    """Let the built-in simulator know all that the shards' stand-ins accepted; their films may be due."""
    known = [folder.simulator for _, folder in _every_shard(whole) if folder.simulator.exists()]
    if not known:
        return
    accepted: list[Accepted] = []
    for path in known:
        with closing(FileMemory(path)) as memory:
            accepted += memory.load()
    accepted.sort(key=lambda record: record.accepted_at)
    with closing(FileMemory(whole.simulator)) as memory:
        memory.save(replace(record, number=number) for number, record in enumerate(accepted, start=1))


def _every_shard(whole: Folder) -> list[tuple[Shard, Folder]]:
    shards = recorded_count(whole.path) or 0
    every = [Shard(index, shards) for index in range(1, shards + 1)]
    return [(shard, whole.of_shard(shard)) for shard in every]


def _leave_files(whole: Folder) -> int:
    """Write what people and data sets read, as a run does at its end; return the number of jobs."""
    with closing(Store.read_only(whole.ledger)) as store:
        write_results(store, whole.path / "results.jsonl")
        write_data_set(store, whole.path)
        write_report(store, whole.path / NAME, Address(folder=whole.path, base_url=base_url_to_name(store)))
        return sum(store.counts().values())


def _put_aside(whole: Folder) -> Path:
    """Rename ``shards/``; from here on the folder is like any other."""
    for left in (whole.path / SHARDS).glob(f"{NOT_YET}*"):
        left.unlink()
    names = (ASIDE if n == 1 else f"{ASIDE}.{n}" for n in count(1))
    aside = next(path for name in names if not (path := whole.path / name).exists())
    (whole.path / SHARDS).rename(aside)
    sync_folder(whole.path)
    return aside
