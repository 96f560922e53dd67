"""From the manifest flags to rows, and a check of them that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from .._types import Job, Problem
from ..ledger import Store
from ..ledger.intake import staged_count
from ..manifest import NamedManifest
from ..models import Schemas
from ..names import printable
from ..plan import load_jobs
from .words import say


def named_manifest(manifest: str, flags: Mapping[str, Any]) -> NamedManifest:
    """Return the manifest the flags name; what a given schema gets wrong is said at once."""
    schemas = Schemas(flags["schemas"])
    for warning in schemas.warnings:
        say(f"warning: {printable(warning)}")
    return NamedManifest(
        source=manifest, input_format=flags["input_format"], model=flags["model"], schemas=schemas
    )


def check(rows: Iterable[Job | Problem]) -> int:
    """Return the number of jobs.  Raises ManifestInvalid, naming every problem, when there is one."""
    with closing(Store.scratch()) as store:
        load_jobs(store, rows)
        return staged_count(store)
