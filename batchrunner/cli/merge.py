"""The command ``merge``: one ledger again, where a batch ran in shards."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from ..errors import Exit
from ..folder.folder import Folder
from ..merging import Merged
from ..merging import merge as merge_shards
from ..names import printable
from .again import program
from .options import folder_argument, json_option, quiet_option
from .words import say


@click.command()
@folder_argument
@json_option
@quiet_option
def merge(folder: Path, as_json: bool, quiet: bool) -> int:
    """Make one folder of DIR's shards: one ledger, all films below DIR/videos, results and report.

    Nothing is sent or paid.  It is refused while a shard is at work; killed at any point, the same command
    finishes it.  What else the shards' folders hold is kept in DIR/shards.merged.
    """
    done = merge_shards(Folder(folder), lambda words: say(printable(words)))
    if as_json:
        click.echo(json.dumps({"jobs": done.jobs, "shards": done.shards,
                               "not_begun": [str(shard) for shard in done.not_begun]}))  # fmt: skip
    if not quiet:
        for line in _words(done, folder):
            say(printable(line))
    return int(Exit.OK)


def _words(done: Merged, folder: Path) -> list[str]:
    jobs = "1 job" if done.jobs == 1 else f"{done.jobs:,} jobs"
    if not done.shards:
        return [f"one ledger already, with {jobs}: nothing to merge"]
    lines = [f"{jobs} of {done.shards} shards are in {folder}/ledger.sqlite"]
    if done.not_begun:
        named = ", ".join(map(str, done.not_begun))
        lines.append(f"not begun, so nothing of theirs is in it; the next run takes their jobs in: {named}")
    lines.append(f"the shards' logs and old ledgers are in {done.aside}, and may be deleted")
    lines.append(f"go on with {program()} resume {shlex.quote(str(folder))}")
    return lines
