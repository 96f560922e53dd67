"""The command ``status``: how a folder's jobs stand; works while a run is writing."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from ..causes import meaning
from ..errors import Exit
from ..folder.folder import Folder
from ..folder.standing import Standing, read_standing
from ..lifecycle import State
from ..money.amounts import dollars
from ..names import printable
from ..progress.stream import can_be_drawn_on
from .again import program
from .options import folder_argument, json_option, option
from .words import WORD

LOOK_EVERY_S: Final = 1.0
"""How often ``--watch`` reads the ledger."""

MOST_OWNERS: Final = 8
"""Shards at work that are named one by one."""


@click.command()
@folder_argument
@option("--watch", is_flag=True, help="Go on until the run has ended.")
@json_option
def status(folder: Path, watch: bool, as_json: bool) -> int:
    """Count the jobs in DIR by state, say whether a run is on and what to do next.

    With --watch: in place on a terminal, elsewhere one line a change.
    """
    where = Folder(folder)
    if watch:
        _watch(where, as_json=as_json)
    else:
        found = read_standing(where)
        click.echo(_json(where, found) if as_json else _words(where, found))
    return int(Exit.OK)


def _watch(where: Folder, *, as_json: bool) -> None:
    """Show each change until the run has ended; without one, until one comes or nothing is open."""
    if not as_json and can_be_drawn_on(sys.stdout):
        _watch_in_place(where)
        click.echo(_words(where, read_standing(where)))
        return
    shown: Standing | None = None
    is_over = _end_of()
    while True:
        found = read_standing(where)
        if found != shown:
            click.echo(_json(where, found) if as_json else _line(where, found))
            shown = found
        if is_over(found):
            return
        time.sleep(LOOK_EVERY_S)


def _watch_in_place(where: Folder) -> None:
    from ..progress.live import View  # rich, where it is drawn

    found = read_standing(where)

    def layout(width: int, height: int, unicode: bool) -> list[list[tuple[str, str]]]:
        lines = [f"{where.path}", *_words(where, found).splitlines()]
        return [[(printable(line, 1000)[:width], "")] for line in lines[:height]]

    is_over = _end_of()
    with View(sys.stdout, layout) as view:
        while not is_over(found):
            view.draw()
            time.sleep(LOOK_EVERY_S)
            found = read_standing(where)


def _end_of() -> Callable[[Standing], bool]:
    """Return what tells whether there is nothing more to see: a run was at work and is not any more, or
    nobody is and nothing is open."""
    was_owned = False

    def is_over(found: Standing) -> bool:
        nonlocal was_owned
        was_owned = was_owned or found.at_work
        return not found.at_work and (was_owned or not found.open)

    return is_over


def _line(where: Folder, found: Standing) -> str:
    counts = " · ".join(f"{n:,} {WORD[state]}" for state, n in found.counts.items() if n)
    return f"{counts or 'no jobs'} · {_next(where, found)}"


def _next(where: Folder, found: Standing) -> str:
    """Return who is at work, or what to do next, in a sentence."""
    if found.at_work:
        if found.shards is not None:
            return f"{len(found.owners)} of {found.shards} shards are at work"
        owner = found.owners[0][1]
        return printable(f"process {owner.pid} on {owner.host} is at work since {owner.started_at}", 200)
    if found.shards is not None:
        return _next_of_shards(where, found, found.shards)
    folder = shlex.quote(str(where.path))
    if n := found.open:
        return f"nobody is at work, {n:,} open: {program()} resume {folder}"
    if n := found.counts[State.UNKNOWN]:
        return f"nobody is at work, {n:,} in doubt: {program()} resolve {folder}"
    if n := found.counts[State.FAILED]:
        return f"nobody is at work, {n:,} failed: {program()} resume {folder} --retry failed"
    return "nobody is at work, nothing is open"


def _next_of_shards(where: Folder, found: Standing, shards: int) -> str:
    folder = shlex.quote(str(where.path))
    if found.begun < shards:
        return f"nobody is at work, {shards - found.begun} of {shards} shards have not begun"
    if n := found.open:
        return f"nobody is at work, {n:,} open: {program()} resume {folder} --shard I/{shards}"
    return f"nobody is at work, nothing is open: {program()} merge {folder} makes one ledger of the shards"


def _json(where: Folder, found: Standing) -> str:
    return json.dumps({**found.as_json(), "next": _next(where, found)})


def _words(where: Folder, found: Standing) -> str:
    lines = [f"{found.total:,} job{'' if found.total == 1 else 's'}"]
    if found.simulated:
        lines.append("  simulated: nothing was generated, nothing is billed")
    lines += [f"  {n:>7,}  {WORD[state]}" for state, n in found.counts.items() if n]
    if found.gone:
        lines.append(f"  {found.gone:>7,}  no longer in the manifest")
    if found.superseded:
        lines.append(f"  {found.superseded:>7,}  superseded by an edit or a redo, kept")
    if found.unstored:
        lines.append(f"  {found.unstored:>7,}  films not in the store yet")
    if not found.simulated:
        lines += _cost_lines(found)
    lines += [f"{code:<18} {n:,}  {meaning(code)}" for code, n in found.errors.items()]
    if found.shards is not None:
        lines += _shard_lines(found, found.shards)
    lines.append(_next(where, found))
    return "\n".join(lines)


def _shard_lines(found: Standing, shards: int) -> list[str]:
    lines = [f"{found.begun} of {shards} shards have begun"]
    for shard, owner in found.owners[:MOST_OWNERS]:
        since = f"since {owner.started_at}"
        lines.append(printable(f"  shard {shard}: process {owner.pid} on {owner.host} {since}", 200))
    if more := len(found.owners) - MOST_OWNERS:
        lines += [f"  and {more} more at work"] if more > 0 else []
    return lines


def _cost_lines(found: Standing) -> list[str]:
    lines = []
    if found.cost_micros is not None:
        lines.append(f"  {dollars(found.cost_micros)} spent, as the service says")
    if found.reserved_micros:
        lines.append(f"  {dollars(found.reserved_micros)} set aside for attempts whose cost is not known")
    return lines
