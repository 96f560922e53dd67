"""The command ``init``: a manifest to begin with, for a model or from a table."""

from __future__ import annotations

import os
import shlex
from pathlib import Path, PurePath
from typing import Any

import click

from ..errors import Exit, ManifestInvalid, Usage
from ..manifest.starter import from_table, starter
from ..manifest.table import read_table
from ..models import InputSchema, Schemas, bundled_models
from ..models.describe import example
from ..names import printable
from .again import program
from .connection import connection_options, named_service
from .manifests import named_schemas
from .options import option
from .words import say


@click.command()
@click.argument("model", required=False, metavar="[MODEL]")
@option("--from", "source", type=click.Path(path_type=Path), metavar="FILE.csv",
        help="Make a job of each row; columns are mapped onto the model's inputs.")  # fmt: skip
@option("-o", "--manifest", "target", type=click.Path(path_type=Path), default=Path("jobs.yaml"),
        show_default=True, metavar="FILE", help="What to write; never over a file.")  # fmt: skip
@option("--schema", "schemas", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
        help="The model's input schema, where neither we nor the catalogue have it.")  # fmt: skip
@connection_options
def init(model: str | None, source: Path | None, target: Path, **flags: Any) -> int:
    """Write a commented manifest for MODEL (the bundled one by default), or from a CSV file."""
    schemas = named_schemas(flags, named_service(None, flags, token_needed=False))
    name = model or bundled_models()[0]
    schema = schemas.get(name)
    if schema is None:
        why = schemas.why_not(name) or "it is not bundled"
        raise ManifestInvalid(
            f"no input schema for the model {name}: {why}", hint="give one with --schema FILE"
        )
    text = _from_table(source, schema, schemas, target) if source else _starter(schema, target)
    _write(target, text)
    say(f"{target}: written; next: {program()} validate {shlex.quote(str(target))}")
    return int(Exit.OK)


def _starter(schema: InputSchema, target: Path) -> str:
    inputs = example(schema)
    wrong = [f"{finding.field}: {finding.message}" for finding in schema.problems(inputs)]
    if wrong:
        say(f"note: the example needs your hand: {'; '.join(wrong)}")
    return starter(schema, inputs, str(target))


def _from_table(source: Path, schema: InputSchema, schemas: Schemas, target: Path) -> str:
    table = read_table(source, schema, schemas)
    for column, key in table.columns.items():
        say(printable(f"column {column} -> {key}"))
    images = {reference: _from(target, path) for reference, path in table.images.items()}
    lines = from_table(schema, table.jobs, table.named, table.columns, str(target), images)
    return "\n".join(lines) + "\n"


def _from(target: Path, path: str) -> str:
    """Return the way from the manifest's folder to the file at *path*, which looks like no address."""
    way = PurePath(os.path.relpath(path, target.absolute().parent)).as_posix()
    return way if way.startswith("../") else f"./{way}"


def _write(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Usage(f"{target} is there already; nothing was written", hint="-o names another file") from None
    except OSError as error:
        raise Usage(
            f"{target} cannot be written: {error.strerror}", hint="name another file with -o"
        ) from None
