"""How is money counted?  In whole micro-dollars, as the service counts it.

Sums of floats drift, and a cap must not.  Pure.  What people write and read is US dollars.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Final

from .._types import Json

PER_USD: Final = 1_000_000
"""Micro-dollars in a dollar (the balance's own unit)."""

MOST_USD: Final = Decimal(1_000_000_000)
"""Nothing here costs more; also keeps every sum within SQLite's integers."""


def parse_usd(text: str) -> int:
    """Return what a person wrote (``5``, ``0.25``, ``$12.50``) in micro-dollars.

    Raises ValueError for anything else, for less than nothing, and for parts of a micro-dollar.
    """
    written = text.strip().removeprefix("$").strip()
    try:
        usd = Decimal(written.replace("_", "")) if written.isascii() else None
    except InvalidOperation:
        usd = None
    if usd is None or not usd.is_finite() or not 0 <= usd <= MOST_USD:
        raise ValueError(f"{text!r} is no amount of US dollars, such as 5 or 0.25")
    micros = usd * PER_USD
    if micros != int(micros):
        raise ValueError(f"{text!r} has more than six decimals")
    return int(micros)


def usd_of(value: Json) -> Decimal | None:
    """Return an amount the service gave, exactly as it wrote it; None for what is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        usd = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and abs(usd) <= MOST_USD else None


def micros_of(usd: Decimal) -> int:
    """Return dollars in micro-dollars, a part of one rounded up: what is set aside is never too little."""
    return int((usd * PER_USD).to_integral_value(ROUND_CEILING))


def as_usd(micros: int) -> float:
    """Return micro-dollars as the number that JSON gives."""
    return micros / PER_USD


def written(micros: int) -> str:
    """Return micro-dollars as a person types them, and `parse_usd` reads them: ``5``, ``0.25``."""
    return f"{(Decimal(micros) / PER_USD).normalize():f}"


def dollars(micros: int) -> str:
    """Return micro-dollars in words: ``5.00 USD``, ``0.0124 USD``; never rounded."""
    usd = Decimal(micros) / PER_USD
    text = f"{usd:,.6f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')} USD"
