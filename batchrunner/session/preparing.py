"""What would a run do, and what would it cost?  All that comes before a submission, with or without a run.

A plan is the same work that a run begins with, done where nothing of it stays.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial
from typing import Final

from msgspec.structs import replace

from ..client import Client
from ..errors import Usage
from ..folder.presence import all_there, size_of
from ..folder.reading import folded
from ..ledger import Store
from ..ledger.folding import CAP
from ..ledger.images import know_images
from ..manifest.named import MANIFEST_FACT
from ..money.pricing import COUNTING_INPUTS
from ..plan import Plan, load_jobs, prepare, to_submit
from ..service import check_origin
from .asking import Learned
from .consent import check_money
from .layout import settle_layout
from .order import Order
from .places import Places
from .quoting import quoted

CAP_FACT: Final = CAP
"""The folder's fact that keeps ``--max-cost`` for `resume`: no hint to type that leads past the cap."""

MANY_EDITS: Final = 20
"""An edit that redoes more jobs than this, and more than a tenth of the manifest, asks first."""


async def plan_only(order: Order) -> Plan:
    """Return what a run would do and cost.  Takes no lock, sends nothing, and leaves the folder as it is.

    Raises ManifestInvalid, FolderUnusable, and what reading the manifest raises.
    """
    order.folder.check_usable()
    order = order.of_its_shard()
    is_new = not order.folder.ledger.exists()
    if not is_new:
        with closing(Store.read_only(order.folder.ledger)) as store:
            settled_places(store, order)
            plan = _planned_as_it_stands(store, order)
            if plan is not None:
                return await _with_quote(store, order, plan)
    with closing(Store.scratch() if is_new else Store.copy_of(order.folder.ledger)) as store:
        settled_places(store, order)
        check_origin(store, order.service)
        with store.transaction():
            plan = prepared(store, _unasked(order), unchanged=is_unchanged(store, order))
        return await _with_quote(store, order, plan)


async def plan_together(order: Order) -> Plan:
    """Return what all shards of the folder would do and cost together, having asked what a run asks.

    Raises what `run_order` raises before anything is sent; leaves the folder as it is.
    """
    with closing(folded(order.folder.shards())) as store:
        order = under_its_cap(store, order)
        settled_places(store, order)
        check_origin(store, order.service)
        with store.transaction():
            plan = await _with_quote(store, order, prepared(store, order, unchanged=order.manifest is None))
        check_money(plan, order.settings, order.consent)
        return plan


def _planned_as_it_stands(store: Store, order: Order) -> Plan | None:
    """Return the plan from a ledger that is only read; None when planning has to change something."""
    check_origin(store, order.service)
    if not is_unchanged(store, order):
        return None
    try:
        with store.snapshot():
            return prepared(store, _unasked(order), unchanged=True)
    except sqlite3.OperationalError:  # above all: it was to be written
        return None


async def _with_quote(store: Store, order: Order, plan: Plan) -> Plan:
    await look_at_images(store, order, plan)
    if not (plan.submit and order.service.can_be_asked):
        return (await with_its_price(store, order, plan, None))[0]
    async with order.service.connected(None) as client:
        return (await with_its_price(store, order, plan, client))[0]


def _unasked(order: Order) -> Order:
    """Only told, so there is nothing to confirm."""
    return replace(order, confirm=lambda question: True)


def settled_places(store: Store, order: Order) -> Places:
    return Places.settle(store, order.places, order.folder, order.manifest)


def under_its_cap(store: Store, order: Order) -> Order:
    """Return the order of a resumed folder under the cap of its last run, where it names no other."""
    cap = store.fact(CAP_FACT)
    if order.manifest is not None or order.settings.max_cost_micros is not None or cap is None:
        return order
    return replace(order, settings=replace(order.settings, max_cost_micros=int(cap)))


async def look_at_images(store: Store, order: Order, plan: Plan) -> None:
    """Do what ``--check-images`` asks for.  Raises ManifestInvalid."""
    if order.check_images:
        from ..looking import check_images, sightings

        async with order.service.without_token() as client:
            await check_images(client, sightings(to_submit(store, order.settings, plan), order.schemas))


async def with_its_price(
    store: Store, order: Order, plan: Plan, client: Client | None
) -> tuple[Plan, Learned]:
    return await quoted(
        store, plan, order.settings, client, shelf=order.service.catalogue, schemas=order.schemas
    )


def is_unchanged(store: Store, order: Order) -> bool:
    """Return whether the ledger's jobs are those of the manifest already, so that it need not be read."""
    if order.manifest is None:
        return True
    if order.folder.shard is not None and order.settings.selection.sample is not None:
        return False  # the sample is drawn from all of it
    return order.manifest.is_as(store.fact(MANIFEST_FACT))


def prepared(store: Store, order: Order, *, unchanged: bool) -> Plan:
    """Take the manifest in and plan, inside the caller's transaction; ask before an edit costs much."""
    shard, loaded = order.folder.shard, None
    if order.manifest is not None and not unchanged:
        with closing(order.manifest.rows_beside(counting=COUNTING_INPUTS)) as rows:
            loaded = load_jobs(store, rows, shard=shard, counting=COUNTING_INPUTS)
        know_images(store, order.manifest.local_images())
        store.set_fact(MANIFEST_FACT, order.manifest.record())  # with its jobs, or not at all
    plan = prepare(
        store,
        order.settings,
        order.rerun,
        staged=loaded is not None,
        counted=None if loaded is None else loaded.counted,
        shard=shard,
        size_of=partial(size_of, str(order.folder.path)),
        all_there=partial(all_there, order.folder.path),
        now=time.time(),
    )
    settle_layout(store, order.settings.name, plan.total if loaded is None else loaded.jobs)
    many = MANY_EDITS if shard is None else shard.share(MANY_EDITS)
    if plan.redone > max(many, plan.total / 10) and not order.confirm(_redo_question(plan)):
        raise Usage(
            f"{plan.redone} edited jobs would be paid for again; nothing was sent",
            hint="look at them with `batchrunner plan`, then run again with --yes",
        )
    return plan


def _redo_question(plan: Plan) -> str:
    first = next(edit for edit in plan.edits if edit.pays_again)
    example = f"{first.id}: {first.changes}"
    return f"{plan.redone} of {plan.total} jobs were edited and would be paid for again ({example})."
