"""One invocation of ``run`` or ``resume``, from the manifest to the report.

The order is what keeps the promises: folder checked and locked, manifest validated and taken in with one
commit, then the pool, then the files people read.  Nothing is sent before all of it is on the disk.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from ..control.address import choose_address
from ..errors import AccountRefused, ManifestInvalid, ManifestMissing, Usage
from ..folder.lease import Terms
from ..folder.ownership import owned
from ..ledger import Store
from ..ledger.log_copy import put_off
from ..objects import StoreTrouble
from ..outputs.runlog import RunLog
from ..service import check_origin, record_origin
from ..settings import Settings
from .ahead import load_beside
from .asking import Learned
from .consent import check_money, price_earlier
from .order import Order
from .outcome import Report
from .preparing import (
    CAP_FACT,
    is_unchanged,
    look_at_images,
    prepared,
    settled_places,
    under_its_cap,
    with_its_price,
)
from .signals import until_signal


async def run_order(order: Order) -> Report:
    """Run the order to its end and return the report.

    Raises BatchrunnerError only for what keeps the run from beginning: a run that was stopped (account,
    outage, disk) reports it instead, with everything it had done.
    """
    order.folder.check_usable()
    order.of_its_shard()  # what cannot be divided is said before anything is made
    control = choose_address() if order.takes_commands else None
    undo_on = (ManifestInvalid, ManifestMissing, Usage, AccountRefused, StoreTrouble)
    terms = Terms.of(order.service.timeouts)
    with owned(
        order.folder,
        undo_on=undo_on,
        control=control,
        terms=terms,
        tell=order.warn,
        log_at_once=False,
    ) as store:
        check_origin(store, order.service)
        put_off(store)
        whole = under_its_cap(store, order)
        places = settled_places(store, whole)
        order = whole.of_its_shard()
        async with AsyncExitStack() as opened:
            with store.transaction():
                plan = prepared(store, order, unchanged=is_unchanged(store, order))
                record_origin(store, order.service)
                _record_cap(store, whole.settings)
                places.record(store)
                client = await opened.enter_async_context(order.service.connected(order.folder))
                learned, stopped_by = Learned(), None

                async def ask() -> None:
                    nonlocal plan, learned
                    load_beside(_load_running)
                    plan, learned = await with_its_price(store, order, plan, client)
                    if plan.submit:
                        await places.check(store, client)
                    await look_at_images(store, order, plan)

                if order.handle_signals:
                    stopped_by = await until_signal(ask)
                else:
                    await ask()
                if client.simulated:  # it said so itself: known before anything is sent
                    store.set_fact("simulated", "1")
                if stopped_by is None:
                    check_money(plan, order.settings, order.consent)
                if order.settings.max_cost_micros is not None:
                    price_earlier(store, learned.prices).set_aside(store)
            store.begin_log()
            from .running import run_prepared  # loaded by now, while the service was asked

            with RunLog(order.folder.log) as log:
                return await run_prepared(
                    store, order, plan, learned, client, log, control, stopped_by, places
                )


def _load_running() -> None:
    """Load what goes on with a prepared ledger."""
    from . import running  # noqa: F401


def _record_cap(store: Store, settings: Settings) -> None:
    cap = settings.max_cost_micros
    store.set_fact(CAP_FACT, None if cap is None else str(cap))
