"""How does a folder stand at this moment?  Its jobs by state, its costs, and who is at work on it.

A folder in shards stands as all of them together: counts and costs are sums, and each shard that is at work
has an owner of its own.  Nothing is folded for that, so it can be asked every second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing

from msgspec import Struct

from .._types import Json
from ..ledger import Store
from ..ledger.stored import STORE_FACT, count_unstored
from ..lifecycle import State
from ..money.amounts import PER_USD, as_usd
from ..sharding import Shard
from ..shards import check_unsharded, is_merging, recorded_count, unfinished_merge
from .folder import Folder, Owner


class Standing(Struct, frozen=True, kw_only=True):
    """One moment of a folder."""

    counts: Mapping[State, int]
    """Jobs of the manifest by state, zeros too."""
    gone: int
    superseded: int
    unstored: int
    """Films that are here and not in the store, in a folder that has one."""
    errors: Mapping[str, int]
    """Jobs by error code, most first."""
    cost_micros: int | None
    """What the service said all attempts cost; None when it never said."""
    reserved_micros: int
    origin: str | None
    simulated: bool
    owners: tuple[tuple[Shard | None, Owner], ...] = ()
    coordinator: Owner | None = None
    """Who gives out the shards, where somebody does; those at work have owners of their own."""
    shards: int | None = None
    """How many shards there are; None for a folder with one ledger."""
    begun: int = 0
    """How many of them have begun."""

    @property
    def at_work(self) -> bool:
        return bool(self.owners) or self.coordinator is not None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        is_open = (State.PENDING, State.SUBMITTING, State.SUBMITTED, State.READY)
        return sum(self.counts[state] for state in is_open)

    def as_json(self) -> dict[str, Json]:
        owners: list[Json] = [{"shard": str(shard), **_named(owner)} for shard, owner in self.owners]
        return {
            "owner": _named(self.owners[0][1]) if self.owners else None,
            "shards": None
            if self.shards is None
            else {
                "count": self.shards,
                "begun": self.begun,
                "owners": owners,
                "coordinator": None if self.coordinator is None else _named(self.coordinator),
            },
            "total": self.total,
            "states": {str(state): n for state, n in self.counts.items()},
            "gone": self.gone,
            "superseded": self.superseded,
            "unstored": self.unstored,
            "errors": dict(self.errors),
            "cost_usd": None if self.cost_micros is None else as_usd(self.cost_micros),
            "reserved_usd": as_usd(self.reserved_micros),
            "origin": self.origin,
            "simulated": self.simulated,
        }


def read_standing(folder: Folder) -> Standing:
    """Return how *folder* stands; works while runs are writing.

    Raises ManifestMissing when there is no ledger, FolderUnusable when one cannot be read.
    """
    if folder.has_ledger() or recorded_count(folder.path) is None:
        folder.require_ledger()
        owner = folder.owner()
        return _standing(folder, () if owner is None else ((folder.shard, owner),))
    if is_merging(folder.path):
        raise unfinished_merge(folder.path)
    return _together(folder)


def _together(folder: Folder) -> Standing:
    parts = folder.shards()
    if not parts:
        check_unsharded(folder.path, has_one_ledger=False)
    found = [_standing(part, tuple(_owners(part))) for part in parts]
    costs = [one.cost_micros for one in found if one.cost_micros is not None]
    errors: Counter[str] = Counter()
    for one in found:
        errors.update(one.errors)
    return Standing(
        counts={state: sum(one.counts[state] for one in found) for state in State},
        gone=sum(one.gone for one in found),
        superseded=sum(one.superseded for one in found),
        unstored=sum(one.unstored for one in found),
        errors=dict(sorted(errors.items(), key=lambda error: (-error[1], error[0]))),
        cost_micros=sum(costs) if costs else None,
        reserved_micros=sum(one.reserved_micros for one in found),
        origin=next((one.origin for one in found if one.origin is not None), None),
        simulated=any(one.simulated for one in found),
        owners=tuple(owner for one in found for owner in one.owners),
        coordinator=folder.owner(),
        shards=recorded_count(folder.path),
        begun=len(parts),
    )


def _owners(part: Folder) -> Iterator[tuple[Shard | None, Owner]]:
    owner = part.owner()
    if owner is not None:
        yield part.shard, owner


def _standing(folder: Folder, owners: tuple[tuple[Shard | None, Owner], ...]) -> Standing:
    with closing(Store.read_only(folder.ledger)) as store, store.snapshot():
        cost = store.cost_usd()
        return Standing(
            counts=store.counts(),
            gone=sum(store.gone_counts().values()),
            superseded=store.superseded_count(),
            unstored=0 if store.fact(STORE_FACT) is None else count_unstored(store),
            errors=store.errors(),
            cost_micros=None if cost is None else round(cost * PER_USD),
            reserved_micros=store.reserved_micros(),
            origin=store.fact("origin"),
            simulated=store.fact("simulated") == "1",
            owners=owners,
        )


def _named(owner: Owner) -> dict[str, Json]:
    return {"pid": owner.pid, "host": owner.host, "started_at": owner.started_at}
