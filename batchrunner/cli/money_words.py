"""What a plan costs and takes, and what a run has cost, as a person reads it."""

from __future__ import annotations

from ..durations import format_duration
from ..models.wording import counted
from ..money.amounts import PER_USD, dollars
from ..money.quote import Quote
from ..names import printable
from ..session.outcome import Report


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
    if quote.cap_micros is not None and quote.room_micros is not None:
        left = f"{dollars(quote.room_micros)} left of {dollars(quote.cap_micros)}"
        fits = quote.unpriced == 0 and quote.known_micros <= quote.room_micros
        lines.append(
            f"max-cost   {left}: {'enough' if fits else 'not enough for all, the run will end there'}"
        )
    took = "no estimate yet: nothing was run from this folder before"
    if quote.estimated_s is not None:
        took = f"about {format_duration(quote.estimated_s)}, as the jobs before took"
    return [*lines, f"time       {took}"]


def cost_lines(report: Report) -> list[str]:
    """Return what the folder's attempts have cost, what is set aside, and what is left under the cap."""
    lines = []
    if report.cost_usd is not None and not report.simulated:
        lines.append(f"cost       {report.cost_usd:,.2f} USD so far, as the service says")
    if report.reserved_micros:
        lines.append(f"set aside  {dollars(report.reserved_micros)} for attempts whose cost is not known yet")
    if report.cap_micros is not None:
        committed = round((report.cost_usd or 0.0) * PER_USD) + report.reserved_micros
        left = dollars(max(0, report.cap_micros - committed))
        lines.append(f"max-cost   {left} left of {dollars(report.cap_micros)}")
    return lines


def _price_words(quote: Quote) -> str:
    if not quote.unpriced:
        return f"{dollars(quote.known_micros)}, if every first attempt works"
    unknown = f"not known for {_jobs(quote.unpriced)} (--price USD names one)"
    return f"{dollars(quote.known_micros)} and more: {unknown}" if quote.known_micros else unknown


def _jobs(n: int) -> str:
    return counted(n, "job")
