"""The command ``cancel``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import click
from msgspec.structs import asdict

from ..cancelling import cancel_parts
from ..errors import Exit
from ..folder.folder import Folder
from ..names import printable
from .connection import connection_options, named_service
from .options import folder_argument, json_option
from .words import say


@click.command()
@folder_argument
@click.argument("ids", nargs=-1, metavar="[ID|GLOB]...")
@connection_options
@json_option
def cancel(folder: Path, ids: tuple[str, ...], as_json: bool, **flags: Any) -> int:
    """Cancel jobs in DIR: what was never sent, and what waits in the service's queue.

    A job that has begun there cannot be cancelled: it finishes, is billed, and the next run collects it.
    """
    where = Folder(folder)
    found = anyio.run(cancel_parts, where, named_service(where, flags), ids)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    never_sent, taken_back = len(found.never_sent), len(found.cancelled)
    say(f"{never_sent:,} cancelled before they were sent, {taken_back:,} taken back from the queue")
    for job_id in found.runs_on:
        say(f"{printable(job_id)}: has begun, will finish and be billed; `batchrunner resume` collects it")
    for job_id in found.failed:
        say(f"{printable(job_id)}: the service gave no clear answer, so it is as it was; try again")
    return int(Exit.OPEN if found.runs_on or found.failed else Exit.OK)
