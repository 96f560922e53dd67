"""The command ``validate``: every problem of every row, in one pass, before a cent is spent."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import anyio
import click

from ..errors import Exit, ManifestInvalid
from ..ledger import Store
from ..looking import check_images as check_images_of
from ..looking import sightings
from ..models import Schemas
from ..service import Service
from .connection import connection_options, named_service
from .manifests import check, check_further, named_manifest, named_schemas
from .options import images_option, json_option, manifest_argument, manifest_options, stage_option
from .words import say


@click.command()
@manifest_argument
@manifest_options
@images_option
@stage_option
@connection_options
@json_option
def validate(manifest: str, check_images: bool, as_json: bool, **flags: Any) -> int:
    """Check MANIFEST against its models' schemas; nothing is submitted.

    No account is needed for a model whose schema is bundled, given, or was read from the catalogue before.
    """
    service = named_service(None, flags, token_needed=False)
    schemas = named_schemas(flags, service)
    named = named_manifest(manifest, flags, schemas)
    try:
        jobs = check_further(named, partial(_look, service, schemas)) if check_images else check(named)
    except ManifestInvalid as error:
        if as_json and error.problems:
            _print_json(error.jobs, error)
        raise
    if as_json:
        _print_json(jobs, None)
    else:
        say(f"{manifest}: {jobs:,} job{'' if jobs == 1 else 's'}, no problems")
    return int(Exit.OK)


def _look(service: Service, schemas: Schemas, store: Store) -> None:
    """Look at every image of the manifest in *store*."""

    async def looked() -> None:
        async with service.without_token() as client:
            await check_images_of(client, sightings(store.pending_jobs(), schemas))

    anyio.run(looked)


def _print_json(jobs: int, error: ManifestInvalid | None) -> None:
    problems = [problem.as_json() for problem in error.problems] if error else []
    click.echo(json.dumps({"jobs": jobs, "errors": problems}))
