"""The command ``validate``: every problem of every row, in one pass, before a cent is spent."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from ..errors import Exit, ManifestInvalid
from ..ledger import Store
from ..ledger.intake import staged_count
from ..manifest import read_jobs
from ..models import Schemas
from ..plan import load_jobs
from ..session import Rows
from .options import json_option, manifest_argument, manifest_options
from .words import say


@click.command()
@manifest_argument
@manifest_options
@json_option
def validate(
    manifest: str, model: str | None, schemas: tuple[Path, ...], input_format: str | None, as_json: bool
) -> int:
    """Check MANIFEST against its model's schema; nothing is sent and no account is needed."""
    rows = read_jobs(manifest, input_format=input_format, model=model, schemas=Schemas(schemas))
    try:
        jobs = check(rows)
    except ManifestInvalid as error:
        if as_json and error.problems:
            _print_json(error.jobs, error)
        raise
    if as_json:
        _print_json(jobs, None)
    else:
        say(f"{manifest}: {jobs:,} jobs, no problems")
    return int(Exit.OK)


def check(rows: Rows) -> int:
    """Return the number of jobs.  Raises ManifestInvalid, naming every problem, when there is one."""
    with closing(Store.scratch()) as store:
        load_jobs(store, rows)
        return staged_count(store)


def _print_json(jobs: int, error: ManifestInvalid | None) -> None:
    problems = [problem.as_json() for problem in error.problems] if error else []
    click.echo(json.dumps({"jobs": jobs, "errors": problems}))
