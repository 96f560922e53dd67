"""From the manifest flags to rows, and a check of them that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from ..ledger import Store
from ..ledger.intake import staged_count
from ..manifest import read_jobs
from ..models import Schemas
from ..names import printable
from ..plan import load_jobs
from ..session import Rows
from .words import say


def named_rows(manifest: str, flags: Mapping[str, Any]) -> Callable[[], Rows]:
    """Return what reads the manifest the flags name; what a given schema gets wrong is said at once."""
    schemas = Schemas(flags["schemas"])
    for warning in schemas.warnings:
        say(f"warning: {printable(warning)}")
    return lambda: read_jobs(
        manifest, input_format=flags["input_format"], model=flags["model"], schemas=schemas
    )


def check(rows: Rows) -> int:
    """Return the number of jobs.  Raises ManifestInvalid, naming every problem, when there is one."""
    with closing(Store.scratch()) as store:
        load_jobs(store, rows)
        return staged_count(store)
