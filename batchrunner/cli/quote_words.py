"""What a plan costs and takes, as a person reads it."""

from __future__ import annotations

from ..durations import format_duration
from ..models.wording import counted
from ..money import dollars
from ..names import printable
from ..quote import Quote


def quote_lines(quote: Quote) -> list[str]:
    """Return what the submissions cost and take, and what could not be learned of it."""
    lines = [f"price      {_price_words(quote)}"]
    for line in quote.lines:
        cost = dollars(line.micros) if not line.unpriced else "unknown"
        note = f" ({printable(line.note, 120)})" if line.note else ""
        lines.append(f"           {cost}  {_jobs(line.jobs)} of {line.model}: {printable(line.price)}{note}")
    if quote.balance.micros is None:
        lines.append(f"balance    not known: {printable(quote.balance.why_not)}")
    else:
        enough = {True: "enough", False: "not enough for this", None: "for what has a price: enough"}
        lines.append(f"balance    {dollars(quote.balance.micros)}: {enough[quote.suffices]}")
    took = "no estimate yet: nothing was run from this folder before"
    if quote.estimated_s is not None:
        took = f"about {format_duration(quote.estimated_s)}, as the jobs before took"
    return [*lines, f"time       {took}"]


def _price_words(quote: Quote) -> str:
    if not quote.unpriced:
        return f"{dollars(quote.known_micros)}, if every first attempt works"
    unknown = f"not known for {_jobs(quote.unpriced)} (--price USD names one)"
    return f"{dollars(quote.known_micros)} and more: {unknown}" if quote.known_micros else unknown


def _jobs(n: int) -> str:
    return counted(n, "job")
