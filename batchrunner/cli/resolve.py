"""The command ``resolve``: a person's word on submissions in doubt."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import click

from .. import doubts
from ..errors import Exit, Usage
from ..folder.folder import Folder
from ..folder.ownership import owned
from ..folder.reading import reading
from ..names import printable
from ..outputs.results import iso
from ..plan import recover
from .again import program
from .connection import connection_options, named_service
from .options import folder_argument, json_option, option
from .words import say


@click.command()
@folder_argument
@click.argument("ids", nargs=-1, metavar="[ID]...")
@option("--all", "all_of_them", is_flag=True, help="Every job in doubt.")
@option("--request-id", metavar="RID", help="It was accepted: this is its request id.")
@option("--not-accepted", is_flag=True, help="It was not accepted: the next run submits it again.")
@option("--give-up", is_flag=True, help="Leave it: it ends as failed.")
@connection_options
@json_option
def resolve(
    folder: Path,
    ids: tuple[str, ...],
    all_of_them: bool,
    request_id: str | None,
    not_accepted: bool,
    give_up: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Say what became of submissions in DIR whose answers were lost; without a word, list them."""
    where = Folder(folder)
    for part in where.parts():
        part.require_ledger()
    words = sum((request_id is not None, not_accepted, give_up))
    if words == 0 and not ids and not all_of_them:
        return _list(where, as_json=as_json)
    if words != 1:
        raise Usage("say one of --request-id RID, --not-accepted or --give-up", hint=doubts.LIST_THEM)
    if bool(ids) == all_of_them:
        raise Usage("name the jobs, or say --all", hint=doubts.LIST_THEM)
    if request_id is not None:
        anyio.run(doubts.check_request, where, named_service(where, flags), request_id)
        doubts.check_unowned(where, request_id)
    resolved = 0
    for part, named in _named_in(where, ids, all_of_them=all_of_them):
        with owned(part) as store, store.transaction():
            recover(store)
            chosen = doubts.choose(store, named, all_of_them=all_of_them)
            if request_id is not None:
                doubts.attach(store, chosen, request_id)
            elif not_accepted:
                doubts.not_accepted(store, chosen)
            else:
                doubts.give_up(store, chosen)
        resolved += len(chosen)
    say(f"{resolved} resolved; next: {shlex.join([program(), 'resume', str(folder)])}")
    return int(Exit.OK)


def _named_in(
    where: Folder, ids: tuple[str, ...], *, all_of_them: bool
) -> Iterator[tuple[Folder, tuple[str, ...]]]:
    """Yield the folders whose ledgers hold the named jobs, each with its own; nobody may be at work there."""
    found: list[tuple[Folder, tuple[str, ...]]] = []
    for part in where.parts():
        named = tuple(job_id for job_id in ids if part.shard is None or part.shard.holds(job_id))
        if named or all_of_them:
            part.check_not_owned()
            found.append((part, named))
    if left := set(ids).difference(*(named for _, named in found)):
        raise Usage(f"there is no job {min(left)!r} in this folder", hint=doubts.LIST_THEM)
    yield from found


def _list(where: Folder, *, as_json: bool) -> int:
    with reading(where) as store:
        found = doubts.read_doubts(store)
    if as_json:
        lines = [{"id": d.id, "row": d.row, "sent_at": iso(d.sent_at), "message": d.message} for d in found]
        click.echo(json.dumps({"in_doubt": lines, "where_to_look": doubts.WHERE_TO_LOOK}))
        return int(Exit.OK)
    for doubt in found:
        click.echo(
            f"{printable(doubt.id)}  row {doubt.row}, sent {iso(doubt.sent_at)}: {printable(doubt.message)}"
        )
    if found:
        say(f"Look for them on {doubts.WHERE_TO_LOOK}, then say --request-id, --not-accepted or --give-up.")
    else:
        say("Nothing is in doubt.")
    return int(Exit.OK)
