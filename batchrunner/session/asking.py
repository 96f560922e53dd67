"""What is learned from the service before anything is sent: what its models cost, and what is left to pay it.

Free reads all of them, and none that is waited for: what cannot be learned is said to be unknown, or comes
from what the catalogue said earlier.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from .._types import Json
from ..answers import Answer, Kind
from ..catalogue import Remembered, Shelf
from ..client import Client
from ..durations import format_duration
from ..models import Schemas
from ..models.schema import defaults_in
from ..money.amounts import micros_of, usd_of
from ..money.pricing import NoPrice, Price, Prices, parse_price
from ..money.quote import Balance


class Learned(Struct, frozen=True, kw_only=True):
    """What the service said."""

    prices: Prices = field(default_factory=Prices)
    balance: Balance = field(default_factory=Balance)
    confirmed: frozenset[str] = frozenset()
    """Models whose catalogue entry was read just now: nothing need be asked about them again."""


async def learn(
    client: Client | None, models: Iterable[str], *, shelf: Shelf, schemas: Schemas, otherwise: int | None
) -> Learned:
    """Ask about *models* and the balance, all at once.

    Without a *client* (no token) only what *shelf* remembers is known.  *otherwise* is ``--price``.
    """
    prices: dict[str, Price | NoPrice] = {}
    confirmed: set[str] = set()
    balance = Balance(why_not="there is no token to ask with")

    async def one(model: str) -> None:
        answer = None if client is None else await client.model(model)
        if answer is not None and answer.kind is Kind.OK and answer.body is not None:
            confirmed.add(model)
            shelf.put(model, answer.body)
            prices[model] = _price(model, answer.body, schemas)
        else:
            prices[model] = _remembered(model, answer, shelf.get(model), schemas)

    async def wallet(client: Client) -> None:
        nonlocal balance
        balance = _balance(await client.balance())

    async with anyio.create_task_group() as tasks:
        for model in models:
            tasks.start_soon(one, model)
        if client is not None:
            tasks.start_soon(wallet, client)
    known = Prices(by_model=prices, otherwise=otherwise)
    return Learned(prices=known, balance=balance, confirmed=frozenset(confirmed))


def _price(model: str, entry: dict[str, Json], schemas: Schemas) -> Price | NoPrice:
    schema = schemas.at_hand(model)
    defaults = {**(schema.defaults if schema else {}), **defaults_in(entry.get("input_schema"))}
    return parse_price(model, entry, defaults)


def _remembered(
    model: str, answer: Answer | None, kept: Remembered | None, schemas: Schemas
) -> Price | NoPrice:
    """Return the price the catalogue gave earlier where it could not be asked now."""
    if answer is not None and answer.kind in (Kind.REFUSED, Kind.GONE):
        return NoPrice(why=f"the catalogue does not know {model}")
    if kept is not None:
        price = _price(model, kept.document, schemas)
        age = format_duration(kept.age_s(time.time()))
        said = f"as the catalogue said {age} ago"
        if isinstance(price, Price):
            return replace(price, note=f"{price.note}; {said}" if price.note else said)
        return NoPrice(why=f"{price.why}, {said}")
    reason = "there is no token to ask with" if answer is None else answer.message
    return NoPrice(why=f"the catalogue could not be asked about {model}: {reason}")


def _balance(answer: Answer | None) -> Balance:
    if answer is None:
        return Balance(why_not="it is read at the official address only")
    if answer.kind is not Kind.OK or answer.body is None:
        return Balance(why_not=answer.message)
    micros = answer.body.get("balance_microdollars")
    if isinstance(micros, int) and not isinstance(micros, bool):
        return Balance(micros=micros)
    usd = usd_of(answer.body.get("balance_usd"))
    return Balance(why_not="the answer names none") if usd is None else Balance(micros=micros_of(usd))
