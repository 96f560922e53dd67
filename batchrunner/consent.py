"""Is there money for this run: a price under ``--max-cost``, and the user's word for what costs much?

Decided before anything is sent.  What holds the cap while the run works is the ledger (`Store.intend`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import Usage
from .ledger import Store
from .money import dollars
from .plan import Plan
from .pricing import Prices
from .settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """When a run's price is asked about, and whom."""

    above_micros: int | None = None
    """``--confirm-above``; None asks nobody."""
    given: Callable[[str], bool] = lambda question: False
    """Says whether the run may cost what the question says."""


def price_what_is_open(store: Store, prices: Prices) -> str:
    """Set aside what earlier attempts are taken to cost of which nothing is known: a cap counts them, too.

    Returns why that cannot be said of one of them; nothing when it can.
    """
    unknown = ""
    for job, generation, number, model, inputs in store.unpriced_attempts():
        cost = prices.of(model, inputs)
        if cost is None:
            unknown = prices.why_not(model)
        else:
            store.set_aside(job, generation, number, cost)
    return unknown


def check_money(plan: Plan, settings: Settings, consent: Consent) -> None:
    """Raise Usage when a price is needed that nobody knows, or the user does not want to pay it."""
    quote = plan.quote
    if settings.max_cost_micros is not None and plan.submit:
        if unknown := next((line for line in quote.lines if line.unpriced), None):
            raise _no_price(f"{unknown.unpriced} of the jobs: {unknown.price}")
        if quote.unknown_before:
            raise _no_price(f"an earlier attempt: {quote.unknown_before}")
    cost = quote.at_most_micros
    if consent.above_micros is None or cost <= consent.above_micros:
        return
    if not consent.given(f"This run may cost {dollars(cost)}."):
        raise Usage(
            f"this run may cost {dollars(cost)}, more than the {dollars(consent.above_micros)} of"
            " --confirm-above; nothing was sent",
            hint="look at it with `batchrunner plan`, then run again with --yes",
        )


def _no_price(what: str) -> Usage:
    return Usage(
        f"--max-cost needs a price, and there is none for {what}; nothing was sent",
        hint="say with --price USD what such a job costs at most, or run without --max-cost",
    )
