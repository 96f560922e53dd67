"""Is there money for this run: a price under ``--max-cost``, and the user's word for what costs much?

Decided before anything is sent.  What holds the cap while the run works is the ledger (`Store.intend`).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ..errors import Usage
from ..ledger import Store
from ..money.amounts import dollars
from ..money.pricing import Prices
from ..plan import Plan
from ..settings import Settings


class Consent(Struct, frozen=True, kw_only=True):
    """When a run's price is asked about, and whom."""

    above_micros: int | None = None
    """``--confirm-above``; None asks nobody."""
    given: Callable[[str], bool] = lambda question: False
    """Says whether the run may cost what the question says."""


class Earlier(Struct, frozen=True, kw_only=True):
    """What earlier attempts are taken to cost of which the ledger knows nothing yet."""

    costs: tuple[tuple[int, int, int, int], ...] = ()
    """Job, generation, number, and micro-dollars."""
    unknown: str = ""
    """Why that cannot be said of one of them."""

    @property
    def micros(self) -> int:
        return sum(micros for *_, micros in self.costs)

    def set_aside(self, store: Store) -> None:
        """Write it down: a cap counts them, too."""
        for job, generation, number, micros in self.costs:
            store.set_aside(job, generation, number, micros)


def price_earlier(store: Store, prices: Prices) -> Earlier:
    """Return what attempts are taken to cost of which no cost was said and no price was known."""
    costs, unknown = [], ""
    for job, generation, number, model, inputs in store.unpriced_attempts():
        micros = prices.of(model, inputs)
        if micros is None:
            unknown = prices.why_not(model)
        else:
            costs.append((job, generation, number, micros))
    return Earlier(costs=tuple(costs), unknown=unknown)


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
