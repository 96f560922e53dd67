"""From the manifest flags to rows, and a check of them that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from ..errors import ManifestInvalid
from ..ledger import Store
from ..ledger.intake import take_in
from ..lookup import Lookup
from ..manifest import NamedManifest
from ..models import Schemas
from ..names import printable
from ..plan import check_jobs, load_jobs
from ..service import Service
from .words import say


def named_schemas(flags: Mapping[str, Any], service: Service, *, anew: bool = False) -> Schemas:
    """Return the schemas that count, the catalogue's last; what a given one gets wrong is said at once.

    With *anew* the catalogue is asked also for what was read lately: what is paid for fits today's schema.
    """
    lookup = Lookup(service=service, refresh=anew, remark=lambda words: say(f"note: {printable(words)}"))
    schemas = Schemas(flags["schemas"], lookup.schema)
    for warning in schemas.warnings:
        say(f"warning: {printable(warning)}")
    return schemas


def named_manifest(manifest: str, flags: Mapping[str, Any], schemas: Schemas) -> NamedManifest:
    """Return the manifest the flags name."""
    return NamedManifest(
        source=manifest,
        input_format=flags["input_format"],
        model=flags["model"],
        schemas=schemas,
        may_stage=flags["stage"] is not None,
    )


def check(named: NamedManifest) -> int:
    """Return the number of jobs.  Raises ManifestInvalid, naming every problem, when there is one."""
    from ..manifest.halves import rows_to_check

    with closing(rows_to_check(named)) as rows:
        return check_jobs(rows)


def check_further(named: NamedManifest, then: Callable[[Store], None]) -> int:
    """Do the same, and let *then* look further into a ledger that holds them all, each of them pending."""
    with closing(Store.scratch()) as store:
        jobs = load_jobs(store, named.rows(noting=False)).jobs
        take_in(store, 0.0)
        try:
            then(store)
        except ManifestInvalid as error:
            error.jobs = jobs - len({problem.id for problem in error.problems})
            raise
        return jobs
