"""The command ``export``: a folder's jobs as a table or a data set, for other programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import click

from ..errors import Exit
from ..folder.folder import Folder
from ..lifecycle import State
from ..names import printable
from ..outputs.export import Exported, Format, Options
from ..outputs.export import export as export_jobs
from .options import folder_argument, json_option, option, quiet_option
from .words import say

SIZE: Final = re.compile(r"(\d+)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


class Size(click.ParamType[int]):
    """Bytes when bare, or with a unit: ``500M``, ``2G`` (powers of 1024)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = SIZE.fullmatch(value.strip())
        size = int(found[1]) << (10 * " kmgt".index(found[2].lower() or " ")) if found else 0
        if size < 1:
            self.fail(f"{value!r} is no size such as 500M or 2G", param, ctx)
        return size


@click.command()
@folder_argument
@option(
    "--format",
    "form",
    type=click.Choice([str(form) for form in Format]),
    required=True,
    help="csv, jsonl and parquet are one file; webdataset and hf a folder with the films.",
)
@option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DEST",
    help="The file (replaced whole), or a new or empty folder.",
)
@option(
    "--state",
    "states",
    type=click.Choice([*map(str, State), "all"]),
    multiple=True,
    default=("succeeded",),
    show_default=True,
    help="Jobs in this state (repeatable).",
)
@option(
    "--shard-bytes",
    type=Size(),
    default="1G",
    show_default=True,
    help="webdataset: a shard ends with the job that makes it this long.",
)
@option(
    "--shard-count",
    "shard_jobs",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="webdataset: jobs in one shard.",
)
@option("--sidecar", is_flag=True, help="hf: a JSON file beside each film.")
@json_option
@quiet_option
def export(
    folder: Path, form: str, to: Path, states: tuple[str, ...], as_json: bool, quiet: bool, **flags: Any
) -> int:
    """Write DIR's jobs to DEST, in manifest order; whole, or not at all.

    CSV cells are never formulas: a text that begins like one gets an apostrophe before it.
    """
    if flags["sidecar"] and form != Format.HF:
        raise click.UsageError("--sidecar goes with --format hf (a webdataset shard has them anyway)")
    chosen = () if "all" in states else tuple(State(state) for state in states)
    done = export_jobs(Folder(folder), Format(form), to, Options(states=chosen, **flags))
    if as_json:
        click.echo(json.dumps({"jobs": done.jobs, "files": done.files, "to": str(to)}))
    elif not quiet:
        say(_words(done, to))
    return int(Exit.OK)


def _words(done: Exported, to: Path) -> str:
    jobs = "1 job" if done.jobs == 1 else f"{done.jobs:,} jobs"
    films = f" with {done.files:,} files" if done.files else ""
    return f"{jobs}{films} → {printable(str(to))}"
