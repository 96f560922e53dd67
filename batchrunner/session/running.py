"""The pool on a prepared ledger, and what people read of it: from the first submission to the report.

Loaded while the service says what the jobs cost: nothing before that needs it.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Final

import anyio

from ..client import Client
from ..control.serving import serve
from ..errors import DiskTrouble, Exit
from ..events import Listener, RunEvent
from ..files.disk import disk_errors_named
from ..files.shelf import DiskShelf
from ..ledger import LedgerWriter, Store, read_failures
from ..ledger.log_copy import LogCopy
from ..ledger.stored import count_unstored
from ..lifecycle import State
from ..money.amounts import dollars
from ..outputs.runlog import RunLog
from ..plan import RERUN_FACT, Plan, is_chosen
from ..policy.runtimes import key_of
from ..pool import Context, run_pool, take_back_all
from ..settings import OnInterrupt, Settings
from ..stopping import WIRE_GRACE_S
from .ahead import load_later
from .asking import Learned
from .order import Order
from .outcome import Report, Tally, decide_exit
from .places import Places
from .signals import heed, listen

if TYPE_CHECKING:
    from .leaving import Left

OLD_AFTER_S: Final = 86_400.0
"""A day: how long the service keeps a request is not documented, so older ones are warned of."""


async def run_prepared(
    store: Store,
    order: Order,
    plan: Plan,
    learned: Learned,
    client: Client,
    log: RunLog,
    control: Path | None,
    stopped_by: Signals | None,
    places: Places,
) -> Report:
    """Run the pool on a prepared ledger, then write what people read."""
    began = time.monotonic()
    writer = LedgerWriter(store)
    copying = LogCopy(writer, order.folder.ledger)
    async with writer.running():
        context = Context(
            settings=order.settings,
            ledger=writer,
            client=client,
            shelf=DiskShelf(order.folder.path),
            listener=_both(log, order.listener),
            prices=learned.prices,
            fence=store.fence,
        )
        places.connect(store, context)
        async with anyio.create_task_group() as tasks:
            if order.handle_signals:
                await tasks.start(listen, context)
            if order.beside is not None:
                tasks.start_soon(order.beside, context)
            if control is not None:
                tasks.start_soon(serve, context, control)
            tasks.start_soon(load_later, _load_leaving)
            tasks.start_soon(copying.run)
            spent_usd = _recall(context, store, plan)
            if stopped_by is not None:
                heed(context, stopped_by)
            context.tell(
                "started",
                None,
                plan=plan.as_json(),
                folder=str(order.folder.path),
                simulated=order.service.simulate or client.simulated,
                spent_usd=spent_usd,
            )
            _warn_of_balance(context, plan)
            unconfirmed = [model for model in plan.models if model not in learned.confirmed]
            await run_pool(context, sample=plan.sample, models=unconfirmed)
            if context.stopping.interrupted and order.settings.on_interrupt is OnInterrupt.CANCEL_QUEUED:
                await take_back_all(context, WIRE_GRACE_S)
            await copying.end()
            from .leaving import leave_files  # loaded by now, while the service was at work

            with writer.alone():  # somebody may ask the run to cancel a job even now
                left = await leave_files(context, store, order.folder)
            tasks.cancel_scope.cancel()
    report = _report(store, order, plan, context, left, time.monotonic() - began)
    context.tell("summary", None, **report.as_json())
    return report


def _load_leaving() -> None:
    """Load what writes a run's files; yaml is for the data-set card."""
    import yaml  # noqa: F401

    from ..outputs.report.template import load_template
    from . import leaving  # noqa: F401

    load_template()


def _recall(context: Context, store: Store, plan: Plan) -> float | None:
    """Let the run know what earlier ones saw; a ledger that cannot be read ends it.

    Returns what they cost, in US dollars.
    """
    try:
        with disk_errors_named():
            context.largest_film = store.largest_film()
            _warn_of_age(context, store)
            for model, inputs, at_least_s, at_most_s in store.run_times():
                context.spacing.run_times.learn(key_of(model, inputs), at_least_s, at_most_s)
            mix = Counter(key_of(model, inputs) for model, inputs in store.mix())
            context.forecast.expect(plan.submit + plan.reasons.get("in_flight", 0), mix)
            return store.cost_usd()
    except DiskTrouble as error:
        context.stopping.fail(error)
        return None


def _warn_of_age(context: Context, store: Store) -> None:
    """Say when paid results have been waiting for long: the service keeps "recent" requests only."""
    before = context.wall_clock() - OLD_AFTER_S
    old = store.count("state IN ('submitted', 'ready') AND submitted_at < ?", before)
    if old:
        jobs = "1 job was" if old == 1 else f"{old:,} jobs were"
        words = f"{jobs} submitted more than a day ago and not collected yet; collected first, if still kept"
        context.tell("warning", message=words)


def _warn_of_balance(context: Context, plan: Plan) -> None:
    """Say before the first submission that the money will not last to the end."""
    quote = plan.quote
    if quote.balance.micros is not None and quote.balance.micros < quote.at_most_micros:
        left, cost = dollars(quote.balance.micros), dollars(quote.at_most_micros)
        context.tell("warning", message=f"the balance is {left}, less than the {cost} this run may cost")


def _report(store: Store, order: Order, plan: Plan, context: Context, left: Left, seconds: float) -> Report:
    stopping = context.stopping
    unstored = count_unstored(store) if context.films else 0
    exit_code = decide_exit(_tally(store, order.settings, plan, unstored), stopping.exit_code)
    if exit_code in (Exit.OK, Exit.SOME_FAILED):
        store.set_fact(RERUN_FACT, None)  # what was asked for is done; asking again means again
    return Report(
        exit_code=exit_code,
        states=store.counts(),
        plan=plan,
        reason=stopping.reason,
        hint=stopping.error.hint if stopping.error else None,
        unstored=unstored,
        unstored_why=context.films.trouble if context.films else "",
        running_there=store.count("state = 'submitted'"),
        cost_usd=store.cost_usd(),
        reserved_micros=store.reserved_micros(),
        cap_micros=order.settings.max_cost_micros,
        errors=store.errors(),
        failures=read_failures(store),
        simulated=store.fact("simulated") == "1",
        seconds=seconds,
        results_written=left.results,
        report_written=left.report,
    )


def _tally(store: Store, settings: Settings, plan: Plan, unstored: int) -> Tally:
    """Count what was asked for: the selected jobs, whatever was paid already, and films for the store."""
    open_, bad = store.count(f"state IN ('{State.SUBMITTED}', '{State.READY}', '{State.SUBMITTING}')"), 0
    pending = 0
    for job_id, state, _ in store.unfinished():
        if not is_chosen(job_id, settings.selection, plan.sample):
            continue
        if state is State.PENDING:
            pending += 1
        else:
            bad += 1
    if not settings.collect_only:  # what lay beyond --limit was not asked for
        open_ += max(0, pending - plan.reasons.get("limit", 0))
    return Tally(open=open_ + unstored, bad=bad)


def _both(first: Listener, second: Listener) -> Listener:
    def listener(event: RunEvent) -> None:
        first(event)
        second(event)

    return listener
