"""The command ``status``: how a folder's jobs stand; works while a run is writing."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from .._types import Json
from ..causes import meaning
from ..errors import Exit
from ..folder import Folder
from ..ledger import Store
from ..lifecycle import State
from ..money import PER_USD, as_usd, dollars
from ..names import printable
from ..progress.stream import can_be_drawn_on
from .again import program
from .options import folder_argument, json_option, option
from .words import WORD

LOOK_EVERY_S: Final = 1.0
"""How often ``--watch`` reads the ledger."""


@click.command()
@folder_argument
@option("--watch", is_flag=True, help="Go on until the run has ended.")
@json_option
def status(folder: Path, watch: bool, as_json: bool) -> int:
    """Count the jobs in DIR by state, say whether a run is on and what to do next.

    With --watch: in place on a terminal, elsewhere one line a change.
    """
    where = Folder(folder)
    where.require_ledger()
    with closing(Store.read_only(where.ledger)) as store:
        if watch:
            _watch(where, store, as_json=as_json)
        elif as_json:
            click.echo(json.dumps(_read(where, store)))
        else:
            click.echo(_words(where, store))
    return int(Exit.OK)


def _watch(where: Folder, store: Store, *, as_json: bool) -> None:
    """Show each change until the run has ended; without one, until one comes or nothing is open."""
    if not as_json and can_be_drawn_on(sys.stdout):
        _watch_in_place(where, store)
        click.echo(_words(where, store))
        return
    shown: dict[str, Json] | None = None
    is_over = _end_of(where, store)
    while True:
        found = _read(where, store)
        if found != shown:
            click.echo(json.dumps(found) if as_json else _line(where, store))
            shown = found
        if is_over():
            return
        time.sleep(LOOK_EVERY_S)


def _watch_in_place(where: Folder, store: Store) -> None:
    from ..progress.live import View  # rich, where it is drawn

    def layout(width: int, height: int, unicode: bool) -> list[list[tuple[str, str]]]:
        lines = [f"{where.path}", *_words(where, store).splitlines()]
        return [[(printable(line, 1000)[:width], "")] for line in lines[:height]]

    is_over = _end_of(where, store)
    with View(sys.stdout, layout) as view:
        while not is_over():
            view.draw()
            time.sleep(LOOK_EVERY_S)


def _end_of(where: Folder, store: Store) -> Callable[[], bool]:
    """Return what tells whether there is nothing more to see: a run was at work and is not any more, or
    nobody is and nothing is open."""
    was_owned = False

    def is_over() -> bool:
        nonlocal was_owned
        is_owned = where.owner() is not None
        was_owned = was_owned or is_owned
        return not is_owned and (was_owned or not _open(store.counts()))

    return is_over


def _open(counts: Mapping[State, int]) -> int:
    return sum(counts[state] for state in (State.PENDING, State.SUBMITTING, State.SUBMITTED, State.READY))


def _line(where: Folder, store: Store) -> str:
    counts = " · ".join(f"{n:,} {WORD[state]}" for state, n in store.counts().items() if n)
    return f"{counts or 'no jobs'} · {_next(where, store)}"


def _next(where: Folder, store: Store) -> str:
    """Return who is at work, or what to do next, in a sentence."""
    owner, counts = where.owner(), store.counts()
    if owner is not None:
        return printable(f"process {owner.pid} on {owner.host} is at work since {owner.started_at}", 200)
    folder = shlex.quote(str(where.path))
    if n := _open(counts):
        return f"nobody is at work, {n:,} open: {program()} resume {folder}"
    if n := counts[State.UNKNOWN]:
        return f"nobody is at work, {n:,} in doubt: {program()} resolve {folder}"
    if n := counts[State.FAILED]:
        return f"nobody is at work, {n:,} failed: {program()} resume {folder} --retry failed"
    return "nobody is at work, nothing is open"


def _read(where: Folder, store: Store) -> dict[str, Json]:
    counts, owner = store.counts(), where.owner()
    return {
        "owner": None
        if owner is None
        else {"pid": owner.pid, "host": owner.host, "started_at": owner.started_at},
        "next": _next(where, store),
        "total": sum(counts.values()),
        "states": {str(state): n for state, n in counts.items()},
        "gone": sum(store.gone_counts().values()),
        "superseded": store.superseded_count(),
        "errors": dict(store.errors()),
        "cost_usd": store.cost_usd(),
        "reserved_usd": as_usd(store.reserved_micros()),
        "origin": store.fact("origin"),
        "simulated": store.fact("simulated") == "1",
    }


def _words(where: Folder, store: Store) -> str:
    counts = store.counts()
    total = sum(counts.values())
    lines = [f"{total:,} job{'' if total == 1 else 's'}"]
    if store.fact("simulated") == "1":
        lines.append("  simulated: nothing was generated, nothing is billed")
    lines += [f"  {n:>7,}  {WORD[state]}" for state, n in counts.items() if n]
    if gone := sum(store.gone_counts().values()):
        lines.append(f"  {gone:>7,}  no longer in the manifest")
    if superseded := store.superseded_count():
        lines.append(f"  {superseded:>7,}  superseded by an edit or a redo, kept")
    if store.fact("simulated") != "1":
        lines += _cost_lines(store)
    lines += [f"{code:<18} {n:,}  {meaning(code)}" for code, n in store.errors().items()]
    lines.append(_next(where, store))
    return "\n".join(lines)


def _cost_lines(store: Store) -> list[str]:
    lines = []
    if (cost := store.cost_usd()) is not None:
        lines.append(f"  {dollars(round(cost * PER_USD))} spent, as the service says")
    if reserved := store.reserved_micros():
        lines.append(f"  {dollars(reserved)} set aside for attempts whose cost is not known")
    return lines
