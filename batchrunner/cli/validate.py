"""The command ``validate``: every problem of every row, in one pass, before a cent is spent."""

from __future__ import annotations

import json
from typing import Any

import click

from ..errors import Exit, ManifestInvalid
from .manifests import check, named_manifest
from .options import json_option, manifest_argument, manifest_options
from .words import say


@click.command()
@manifest_argument
@manifest_options
@json_option
def validate(manifest: str, as_json: bool, **flags: Any) -> int:
    """Check MANIFEST against its model's schema; nothing is sent and no account is needed."""
    named = named_manifest(manifest, flags)
    try:
        jobs = check(named.rows())
    except ManifestInvalid as error:
        if as_json and error.problems:
            _print_json(error.jobs, error)
        raise
    if as_json:
        _print_json(jobs, None)
    else:
        say(f"{manifest}: {jobs:,} job{'' if jobs == 1 else 's'}, no problems")
    return int(Exit.OK)


def _print_json(jobs: int, error: ManifestInvalid | None) -> None:
    problems = [problem.as_json() for problem in error.problems] if error else []
    click.echo(json.dumps({"jobs": jobs, "errors": problems}))
