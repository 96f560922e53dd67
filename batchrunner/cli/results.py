"""The command ``results``: one job a line, for people; as JSON Lines, for programs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from .._types import Json
from ..errors import Exit
from ..folder import Folder
from ..ledger import Store
from ..lifecycle import State
from ..names import printable
from ..outputs.results import json_line, read_results
from .options import folder_argument, json_option, option


@click.command()
@folder_argument
@option("--state", "states", type=click.Choice([str(state) for state in State]), multiple=True,
        help="Only jobs in this state (repeatable).")  # fmt: skip
@json_option
def results(folder: Path, states: tuple[str, ...], as_json: bool) -> int:
    """Print what became of every job in DIR, as the ledger has it now."""
    where = Folder(folder)
    where.require_ledger()
    with closing(Store.read_only(where.ledger)) as store:
        for line in read_results(store):
            if not states or line["status"] in states:
                click.echo(json_line(line) if as_json else _words(line))
    return int(Exit.OK)


def _words(line: dict[str, Json]) -> str:
    outputs, error = line["outputs"], line["error"]
    assert isinstance(outputs, list)
    files = [str(output["file"]) for output in outputs if isinstance(output, dict) and output["file"]]
    why = f"{error['code']}: {error['message']}" if isinstance(error, dict) else ""
    return "\t".join(
        printable(str(part)) for part in (line["id"], line["status"], " ".join([*files, why]).strip())
    )
