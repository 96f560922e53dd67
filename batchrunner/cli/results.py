"""The command ``results``: what became of each job, for people, for pipes, and as a manifest again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from .._types import Json
from ..errors import Exit
from ..folder.folder import Folder
from ..folder.reading import reading
from ..lifecycle import State
from ..outputs.again import read_manifest
from ..outputs.lines import json_line
from ..outputs.picking import Picked, parse_columns
from ..outputs.results import read_results
from ..storing.presigning import Presigner, with_addresses
from .options import folder_argument, json_option, option, presign_option
from .tables import write_csv, write_table, write_tsv


@click.command()
@folder_argument
@option(
    "--state",
    "states",
    type=click.Choice([str(state) for state in State]),
    multiple=True,
    help="Only jobs in this state (repeatable).",
)
@option(
    "--columns",
    metavar="NAME,...",
    help="These fields of results.jsonl, such as id,error.code,inputs.text,meta.x,outputs.0.file.",
)
@option(
    "--format",
    "form",
    type=click.Choice(["table", "tsv", "csv", "jsonl"]),
    help="A table on a terminal, else tab-separated without a header, unless said otherwise.",
)
@option("--as-manifest", is_flag=True, help="Manifest rows (JSON Lines) that `run` takes as these very jobs.")
@presign_option
@json_option
def results(
    folder: Path,
    states: tuple[str, ...],
    columns: str | None,
    form: str | None,
    as_manifest: bool,
    presign: float | None,
    as_json: bool,
) -> int:
    """Print what became of every job in DIR, as the ledger has it now."""
    if as_manifest and (columns or form):
        raise click.UsageError("--as-manifest is a format of its own: leave out --columns and --format")
    with reading(Folder(folder)) as store:
        chosen = _condition(states)
        if as_manifest:
            for row in read_manifest(store, chosen):
                click.echo(row)
        else:
            picked = parse_columns(columns, store) if columns is not None else None
            lines = read_results(store, chosen)
            if presign is not None:
                lines = with_addresses(lines, Presigner(presign))
            _write(lines, picked, _format(form, as_json=as_json))
    return int(Exit.OK)


def _condition(states: tuple[str, ...]) -> str:
    return f"state IN ({', '.join(map(repr, states))})" if states else "1"


def _format(form: str | None, *, as_json: bool) -> str:
    if as_json and form not in (None, "jsonl"):
        raise click.UsageError("--json is --format jsonl: give one of them")
    return "jsonl" if as_json else form or ("table" if sys.stdout.isatty() else "tsv")


def _write(lines: Iterable[dict[str, Json]], picked: list[Picked] | None, form: str) -> None:
    if form == "jsonl":
        for line in lines:
            found = line if picked is None else {column.name: column.value(line) for column in picked}
            click.echo(json_line(found))
        return
    names = ["id", "status", "result"] if picked is None else [column.name for column in picked]
    rows = _rows(lines, picked)
    match form:
        case "table":
            write_table(names, rows)
        case "csv":
            write_csv(names, rows)
        case _:
            write_tsv(rows)


def _rows(lines: Iterable[dict[str, Json]], picked: list[Picked] | None) -> Iterator[list[str]]:
    for line in lines:
        yield _told(line) if picked is None else [_cell(column.name, column.value(line)) for column in picked]


def _told(line: dict[str, Any]) -> list[str]:
    """Return the id, the state, and the files or the reason why there are none."""
    found = (output.get("presigned") or output["file"] or output.get("store") for output in line["outputs"])
    files = [one for one in found if one]
    why = [_cell("error", line["error"])] if line["error"] else []
    return [line["id"], line["status"], " ".join([*files, *why])]


def _cell(name: str, value: Any) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | float() | list():
            return json_line(value)
        case _ if name == "error":
            return f"{value['code']}: {value['message']}"
        case _:
            return json_line(value)
