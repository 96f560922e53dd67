"""batchrunner as a library: what ``run`` does, as a function and as its async twin.

```python
import batchrunner

report = batchrunner.run("jobs.csv", "out", model="bytedance/seedance-1-0/lite/reference-to-video")
print(report.states, report.exit_code)
```
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import anyio

from .client import PRODUCTION
from .credentials import find_token
from .events import RunEvent
from .folder.folder import Folder
from .lookup import Lookup
from .manifest import NamedManifest
from .models import Schemas
from .objects import parse_place
from .service import Service
from .session.invocation import run_order
from .session.order import Order
from .session.outcome import Report
from .session.places import STORES, PlacesAsked
from .settings import Rerun, Settings


async def run_async(
    manifest: str | Path | None,
    output: str | Path,
    *,
    model: str | None = None,
    schemas: Sequence[str | Path] = (),
    settings: Settings | None = None,
    rerun: Rerun | None = None,
    stage: str | None = None,
    store: str | None = None,
    keep_local: bool | None = None,
    simulate: bool = False,
    base_url: str = PRODUCTION,
    token: str | None = None,
    on_event: Callable[[RunEvent], None] = lambda event: None,
    confirm: Callable[[str], bool] = lambda question: False,
) -> Report:
    """Run *manifest* into the folder *output* and return what became of it; on asyncio.

    *stage* is a place such as ``s3://bucket/prefix`` that local images of the manifest are sent from, *store*
    one that films are put into; *keep_local* False takes their local copies away then.
    With *manifest* None it goes on from the folder's ledger.  *token* defaults to the one the command line
    would use.  *on_event* is called for every step of every job and must return soon.  *confirm* is asked
    before an edit of many rows pays for them again; without it such a run is refused.

    Raises ManifestInvalid (with every problem), ManifestMissing, FolderUnusable, AccountRefused (no
    token) and Usage when the run cannot begin.  A run that was stopped later returns its report: see
    `Report.exit_code` and `Report.reason`.
    """
    service = Service(base_url=base_url, token="" if simulate else token or find_token(), simulate=simulate)
    known = Schemas([Path(schema) for schema in schemas], Lookup(service=service, refresh=True).schema)
    named = None
    if manifest is not None:
        named = NamedManifest(source=str(manifest), model=model, schemas=known)
    order = Order(
        folder=Folder(Path(output)),
        manifest=named,
        settings=settings or Settings(),
        rerun=rerun or Rerun(),
        places=PlacesAsked(
            stage=None if stage is None else parse_place(stage, "stage"),
            store=None if store is None else parse_place(store, "store", STORES),
            keep_local=keep_local,
        ),
        schemas=known,
        service=service,
        confirm=confirm,
        listener=on_event,
    )
    return await run_order(order)


def run(
    manifest: str | Path | None,
    output: str | Path,
    *,
    model: str | None = None,
    schemas: Sequence[str | Path] = (),
    settings: Settings | None = None,
    rerun: Rerun | None = None,
    stage: str | None = None,
    store: str | None = None,
    keep_local: bool | None = None,
    simulate: bool = False,
    base_url: str = PRODUCTION,
    token: str | None = None,
    on_event: Callable[[RunEvent], None] = lambda event: None,
    confirm: Callable[[str], bool] = lambda question: False,
) -> Report:
    """Run *manifest* into the folder *output* and return what became of it; see `run_async`."""
    return anyio.run(
        partial(
            run_async,
            manifest,
            output,
            model=model,
            schemas=schemas,
            settings=settings,
            rerun=rerun,
            stage=stage,
            store=store,
            keep_local=keep_local,
            simulate=simulate,
            base_url=base_url,
            token=token,
            on_event=on_event,
            confirm=confirm,
        )
    )
