"""How the report says its numbers: headline, money, sizes, failures with their commands.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from ...causes import FEW, Address, FailureGroup, NamedJob, cause_of, narrowed, redo_command
from ...durations import format_duration
from ...lifecycle import State
from ...names import printable
from .figures import Figures

FILTERS: Final = (
    (State.SUCCEEDED, "Succeeded"),
    (State.FAILED, "Failed"),
    (State.UNKNOWN, "In doubt"),
    (State.CANCELLED, "Cancelled"),
    (State.READY, "To download"),
    (State.SUBMITTED, "Running"),
    (State.SUBMITTING, "Submitting"),
    (State.PENDING, "Pending"),
)
"""The states as the page names them, in the order it shows them."""

_NOUNS: Final = {"video": "film", "image": "picture", "audio": "recording"}


class Failure(Struct, frozen=True, kw_only=True):
    """A group of jobs that did not work out, as the page tells it."""

    title: str
    meaning: str
    state: State
    code: str | None
    count: int
    messages: Sequence[tuple[str, int]]
    more_messages: int
    jobs: Sequence[NamedJob]
    command: str
    beyond: str
    """What else the command does; empty when it is just these jobs."""


def headline(figures: Figures) -> str:
    """Return the page's first words: ``1,118 films``."""
    noun = _NOUNS.get(next(iter(figures.kinds)), "result") if len(figures.kinds) == 1 else "result"
    if not figures.kinds:
        noun = "film"
    return plural(figures.states[State.SUCCEEDED], noun)


def summary_line(figures: Figures, *, simulated: bool) -> list[str]:
    """Return what follows the headline: failures, what is open, money, time."""
    states = figures.states
    bad = {State.FAILED: "failed", State.UNKNOWN: "in doubt", State.CANCELLED: "cancelled"}
    open_ = sum(states[state] for state in (State.PENDING, State.SUBMITTING, State.SUBMITTED, State.READY))
    parts = [f"{states[state]:,} {word}" for state, word in bad.items() if states[state]]
    if open_:
        parts.append(f"{open_:,} still open")
    if figures.cost_usd is not None:
        parts.append("nothing billed" if simulated else money(figures.cost_usd))
    if figures.busy_s:
        parts.append(span(figures.busy_s))
    return parts


def failures_for_people(groups: Sequence[FailureGroup], figures: Figures, address: Address) -> list[Failure]:
    """Return the groups with their plain words and the command that deals with just those."""
    pending = figures.states[State.PENDING]
    return [_failure(group, pending, address) for group in groups]


def _failure(group: FailureGroup, pending: int, address: Address) -> Failure:
    cause = cause_of(group.state, group.code)
    command, beyond = redo_command(address, group.state, group.code), ""
    if pending and group.state in (State.FAILED, State.CANCELLED):
        if group.count <= min(FEW, len(group.jobs)):
            command = narrowed(command, [job.id for job in group.jobs])
        else:
            beyond = f"Also submits the {plural(pending, 'job')} still pending."
    return Failure(
        title=cause.title,
        meaning=f"{cause.meaning[0].upper()}{cause.meaning[1:]}.",
        state=group.state,
        code=group.code,
        count=group.count,
        messages=group.messages,
        more_messages=group.more_messages,
        jobs=group.jobs,
        command=command,
        beyond=beyond,
    )


def count(n: int) -> str:
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """Return ``1 film`` or ``1,118 films``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def money(usd: float) -> str:
    """Return dollars with cents, and more digits where cents would say nothing."""
    if usd >= 1 or usd == 0:
        return f"${usd:,.2f}"
    exact = f"{usd:.4f}"
    return f"${exact[:4]}{exact[4:].rstrip('0')}"


def span(seconds: float) -> str:
    """Return a duration without zeros at its end: ``5 m`` rather than ``5 m 00 s``."""
    return format_duration(seconds).removesuffix(" 00 s").removesuffix(" 00 m")


def size(n: float) -> str:
    """Return bytes for people, in steps of a thousand as disks are sold."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:,.1f} TB"


def instant(at: float) -> str:
    """Return an instant as a machine-readable time in UTC; the page shows it in the reader's own."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown(text: str) -> str:
    """Return foreign text with every invisible or direction-changing character spelled out."""
    return printable(text)
