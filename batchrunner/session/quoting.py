"""A plan with its price: what the ledger and the service know, brought to the pure sums of quote.py."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from .._types import Inputs
from ..catalogue import Shelf
from ..client import Client
from ..ledger import Store
from ..models import Schemas
from ..money.pricing import COUNTING_INPUTS
from ..money.quote import make_quote, mean_run_times
from ..plan import EVERYTHING, Plan, to_submit
from ..settings import Settings
from .asking import Learned, learn
from .consent import Earlier, price_earlier


async def quoted(
    store: Store, plan: Plan, settings: Settings, client: Client | None, *, shelf: Shelf, schemas: Schemas
) -> tuple[Plan, Learned]:
    """Return *plan* with what it costs and takes, and all that was learned for that."""
    has_cap = settings.max_cost_micros is not None
    models = set(plan.models)
    if has_cap and not settings.collect_only:
        models |= store.models_in_flight() | {model for _, _, _, model, _ in store.unpriced_attempts()}
    if not models:
        return plan, Learned()
    learned = await learn(client, models, shelf=shelf, schemas=schemas, otherwise=settings.price_micros)
    earlier = price_earlier(store, learned.prices) if has_cap else Earlier()
    quote = make_quote(
        _alike(store, settings, plan),
        learned.prices,
        run_times_s=mean_run_times((model, low, high) for model, _, low, high in store.run_times()),
        concurrency=settings.concurrency,
        balance=learned.balance,
        cap_micros=settings.max_cost_micros,
        committed_micros=store.committed_micros() + earlier.micros,
        unknown_before=earlier.unknown,
    )
    return replace(plan, quote=quote), learned


def _alike(store: Store, settings: Settings, plan: Plan) -> Iterator[tuple[str, Inputs, int]]:
    """Yield model, the inputs a price depends on, and how many of the jobs to submit are alike in them."""
    if plan.counted is not None:
        yield from plan.counted
    elif settings.selection == EVERYTHING:  # counted by the ledger: a million jobs in a second or two
        yield from store.pending_alike(COUNTING_INPUTS, limit=plan.submit)
    else:
        yield from ((model, inputs, 1) for *_, model, inputs in to_submit(store, settings, plan))
