"""How did it go, on all workers together?  The shards' ledgers and ends -> one report, and its files."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Final

from ..causes import Address
from ..errors import Exit
from ..events import RunEvent
from ..files.disk import disk_errors_named
from ..folder.reading import reading
from ..folder.standing import read_standing
from ..ledger import read_failures
from ..lifecycle import State
from ..money.amounts import as_usd
from ..outputs.report import NAME, write_report
from ..outputs.results import write_results
from ..plan import Plan
from ..service import base_url_to_name
from ..session.order import Order
from ..session.outcome import Report
from ..session.signals import STOPS
from .task import Ended

FIRST: Final = [Exit.INTERNAL, *(code for code in Exit if code is not Exit.INTERNAL)]
"""Of several exit codes the first counts."""


def report_together(
    order: Order, plan: Plan, ended: Sequence[Ended], signals: Sequence[signal.Signals], seconds: float
) -> Report:
    """Return the report of all shards, after writing the files that people read."""
    folder, standing = order.folder, read_standing(order.folder)
    worst = min(ended, key=lambda end: FIRST.index(end.exit_code), default=None)
    exit_code = decide_together([end.exit_code for end in ended], signals, standing.open)
    with disk_errors_named(), reading(folder) as store:
        write_results(store, folder.path / "results.jsonl")
        write_report(store, folder.path / NAME, Address(folder=folder.path, base_url=base_url_to_name(store)))
        report = Report(
            exit_code=exit_code,
            states=standing.counts,
            plan=plan,
            reason=_reason(worst, signals),
            hint=worst.hint if worst else None,
            running_there=standing.counts[State.SUBMITTED],
            cost_usd=None if standing.cost_micros is None else as_usd(standing.cost_micros),
            reserved_micros=standing.reserved_micros,
            cap_micros=order.settings.max_cost_micros,
            errors=standing.errors,
            failures=read_failures(store),
            seconds=seconds,
            simulated=standing.simulated,
        )
    order.listener(RunEvent(name="summary", at=0.0, data=report.as_json()))
    return report


def decide_together(codes: Sequence[Exit], signals: Sequence[signal.Signals], still_open: int) -> Exit:
    """Return the exit code: a sudden stop's, else the first of the shards', and what is open at the least."""
    stops = [STOPS[one] for one in signals if one in STOPS]
    if len(signals) > 1 and not stops:
        stops = [Exit.INTERRUPTED]
    least = [Exit.OPEN] if signals or still_open else []
    return min([*stops, *codes, *least, Exit.OK], key=FIRST.index)


def _reason(worst: Ended | None, signals: Sequence[signal.Signals]) -> str:
    if signals:
        return f"stopped by {'Ctrl-C' if signals[0] is signal.SIGINT else signals[0].name}"
    return worst.reason if worst else ""
