"""The command ``verify``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import anyio
import click

from .._types import Json
from ..errors import BatchrunnerError, Exit, Usage
from ..folder.folder import Folder
from ..folder.verification import Verification, mark_for_fetching
from ..folder.verification import verify as verify_folder
from ..names import printable
from ..objects import StoreTrouble
from ..service import Service
from ..session.invocation import run_order
from ..session.order import Order
from ..settings import Settings
from ..storing.verifying import StoredFlaw, check_stored, mark_stored
from .again import program
from .connection import connection_options, named_service
from .end_screen import summary_words, terminal_width
from .options import folder_argument, json_option, option
from .words import say


@click.command()
@folder_argument
@option("--repair", is_flag=True, help="Fetch flawed files again; nothing is generated or paid again.")
@connection_options
@json_option
def verify(folder: Path, repair: bool, as_json: bool, **flags: Any) -> int:
    """Check DIR: the ledger itself, every file's hash and container, stored films, and files nobody knows."""
    where = Folder(folder)
    found = verify_folder(where)
    stored, lost, away = _check_stored(where)
    if as_json:
        click.echo(json.dumps({**found.as_json(), "stored": stored, "stored_flaws": _listed(lost)}))
    _say(found)
    _say_stored(stored, lost)
    code = Exit.SOME_FAILED if found.flaws or lost else Exit.OK
    if repair and code is not Exit.OK:
        service = named_service(where, flags)
        mark_for_fetching(where, found.flaws)
        mark_stored(where, lost)
        code = _fetch_again(where, service)
    if away is not None:
        raise away
    return int(code)


def _check_stored(where: Folder) -> tuple[int, list[StoredFlaw], BatchrunnerError | None]:
    """Return how many films should be in the store, those that are not, and why nobody could look there."""
    try:
        return *anyio.run(check_stored, where), None
    except (StoreTrouble, Usage) as away:
        return 0, [], away


def _fetch_again(where: Folder, service: Service) -> Exit:
    order = Order(
        folder=where,
        manifest=None,
        settings=Settings(collect_only=True),
        service=service,
        handle_signals=True,
    )
    report = anyio.run(run_order, order)
    again = shlex.join([program(), "resume", str(where.path)])
    say(summary_words(report, folder=str(where.path), again=again, width=terminal_width()))
    return report.exit_code


def _listed(lost: list[StoredFlaw]) -> list[Json]:
    return [{"id": flaw.film.id, "url": flaw.film.url, "problem": flaw.problem} for flaw in lost]


def _say_stored(stored: int, lost: list[StoredFlaw]) -> None:
    for flaw in lost:
        say(f"{printable(flaw.film.url)}: {flaw.problem} (job {printable(flaw.film.id)})")
    if stored:
        say(f"{stored:,} stored films looked at, {len(lost):,} flawed")


def _say(found: Verification) -> None:
    for flaw in found.flaws:
        say(f"{printable(flaw.file)}: {printable(flaw.problem)} (job {printable(flaw.id)})")
    for stray in found.strays:
        say(f"{printable(stray)}: not in the ledger, so not ours; left alone")
    say(f"{found.files:,} files checked, {len(found.flaws):,} flawed, {len(found.strays):,} unknown")
