"""What does a job cost, as far as the catalogue says?

A catalogue entry gives `base_price_usd` and `price_unit` (API page, section 1.6); a job's price is that times
its units.  Pure.  Nothing is invented: a unit that cannot be counted, or no price, is a NoPrice with the
reason, and so is a price of nothing, which has been met where no price was set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from .._types import Inputs, Json
from .amounts import micros_of, usd_of


class Unit(StrEnum):
    """What a price is the price of."""

    SECOND = "second"  # of film: the input `duration`, or the schema's default for it
    OUTPUT = "output"  # `num_images` of them where the model has that input, else one
    IMAGE = "image"  # the same
    VIDEO = "video"
    REQUEST = "request"


COUNTED_BY: Final[Mapping[Unit, str | None]] = {
    Unit.SECOND: "duration",
    Unit.OUTPUT: "num_images",
    Unit.IMAGE: "num_images",
    Unit.VIDEO: None,
    Unit.REQUEST: None,
}
"""The input that says how many units a job has; None: it is always one."""

COUNTING_INPUTS: Final = tuple(dict.fromkeys(name for name in COUNTED_BY.values() if name))

_NUMBER: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?s?")
"""Some models write a duration as text: ``"5"``, ``"5s"``."""


class Price(Struct, frozen=True, kw_only=True):
    """What one unit costs, and how the units of a job are counted."""

    usd: Decimal
    unit: Unit
    note: str = ""
    """The catalogue's own words on what else may change the price."""
    defaults: Inputs = field(default_factory=dict)
    """The schema's defaults of the inputs that count units."""

    def of(self, inputs: Inputs) -> int | None:
        """Return what a job with *inputs* costs, in micro-dollars; None where its units are not known."""
        units = self._units(inputs)
        return None if units is None else micros_of(self.usd * units)

    def _units(self, inputs: Inputs) -> Decimal | None:
        name = COUNTED_BY[self.unit]
        if name is None:
            return Decimal(1)
        given = inputs.get(name, self.defaults.get(name))
        if given is None and self.unit is not Unit.SECOND:
            return Decimal(1)
        return _count(given)

    def __str__(self) -> str:
        return f"{self.usd.normalize():f} USD per {self.unit}"


class NoPrice(Struct, frozen=True, kw_only=True):
    """There is no price, and why."""

    why: str


class Prices(Struct, frozen=True, kw_only=True):
    """The prices of one run's models."""

    by_model: Mapping[str, Price | NoPrice] = field(default_factory=dict)
    otherwise: int | None = None
    """What a job costs where no price is known (``--price``), in micro-dollars."""

    def of(self, model: str, inputs: Inputs) -> int | None:
        """Return what one attempt of a job costs, in micro-dollars; None where nobody knows."""
        price = self.by_model.get(model)
        known = price.of(inputs) if isinstance(price, Price) else None
        return self.otherwise if known is None else known

    def why_not(self, model: str) -> str:
        """Return why there is no price for jobs of *model*."""
        price = self.by_model.get(model)
        if isinstance(price, Price):
            return f"{model} costs {price}, and the job does not say how many"
        return price.why if price else f"the catalogue was not asked about {model}"


def parse_price(model: str, entry: Mapping[str, Json], defaults: Inputs) -> Price | NoPrice:
    """Return the price in a catalogue *entry*; *defaults* are those of the model's schema."""
    usd = usd_of(entry.get("base_price_usd"))
    if usd is None or usd <= 0:
        return NoPrice(why=f"the catalogue gives no price for {model}")
    written = entry.get("price_unit")
    unit = _unit(written) if isinstance(written, str) else None
    if unit is None:
        return NoPrice(why=f"the catalogue prices {model} by {str(written)[:40]!r}, which cannot be counted")
    note = entry.get("pricing_note")
    counting = {name: defaults[name] for name in COUNTING_INPUTS if name in defaults}
    return Price(usd=usd, unit=unit, note=note.strip() if isinstance(note, str) else "", defaults=counting)


def _unit(written: str) -> Unit | None:
    word = written.strip().lower().removeprefix("per").strip(" _-/")
    for form in (word, word.removesuffix("s")):
        if form in set(Unit):
            return Unit(form)
    return None


def _count(given: Json) -> Decimal | None:
    """Return how many *given* stands for; ``-1`` and ``auto`` leave it to the model, so nobody knows."""
    if isinstance(given, str):
        match = _NUMBER.fullmatch(given.strip())
        given = match[1] if match else None
    count = usd_of(given)
    return count if count is not None and count > 0 else None
