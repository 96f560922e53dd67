"""The command ``status``: how a folder's jobs stand; works while a run is writing."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from .._types import Json
from ..causes import meaning
from ..errors import Exit
from ..folder import Folder
from ..ledger import Store
from ..money import PER_USD, as_usd, dollars
from .options import folder_argument, json_option
from .words import WORD


@click.command()
@folder_argument
@json_option
def status(folder: Path, as_json: bool) -> int:
    """Count the jobs in DIR by state."""
    where = Folder(folder)
    where.require_ledger()
    with closing(Store.read_only(where.ledger)) as store:
        found = _read(store)
        click.echo(json.dumps(found) if as_json else _words(store))
    return int(Exit.OK)


def _read(store: Store) -> dict[str, Json]:
    counts = store.counts()
    return {
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


def _words(store: Store) -> str:
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
    return "\n".join(lines)


def _cost_lines(store: Store) -> list[str]:
    lines = []
    if (cost := store.cost_usd()) is not None:
        lines.append(f"  {dollars(round(cost * PER_USD))} spent, as the service says")
    if reserved := store.reserved_micros():
        lines.append(f"  {dollars(reserved)} set aside for attempts whose cost is not known")
    return lines
