"""Which stage do a folder's local images go to, and can it be used?

The folder remembers it: `resume` and a run of the changed manifest need not name it again.  Another one may
be named at any time: images are known by their bytes, so they go up there as well, and no job changes.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ..errors import Usage
from ..ledger import Store
from ..ledger.images import has_images, image_file
from ..manifest import NamedManifest
from ..objects import Place, parse_place
from ..pool import Context
from .uploading import HostedOnly, Stage, Staging, open_stage

FLAG: Final = "--stage"

STAGE_FACT: Final = "stage"
"""The folder's fact that names the place."""


def settle_stage(store: Store, named: Place | None, manifest: NamedManifest | None) -> Place | None:
    """Return the stage that counts, the one *named* first, and let the *manifest* know if there is one."""
    remembered = store.fact(STAGE_FACT)
    stage = named or (parse_place(remembered, FLAG) if remembered else None)
    if manifest is not None:
        manifest.may_stage = stage is not None
    return stage


async def check_stage(store: Store, stage: Place | None, *, plain_http: bool) -> None:
    """Find out now, where there are local images, what would stop every submission later.

    Raises Usage and StoreTrouble.
    """
    if not has_images(store):
        return
    if stage is None:
        raise Usage(
            "jobs of this folder name local images, and no place to send them from is known",
            hint="add --stage s3://BUCKET/PREFIX",
        )
    await open_stage(stage, plain_http=plain_http)


def record_stage(store: Store, stage: Place | None) -> None:
    if stage is not None:
        store.set_fact(STAGE_FACT, str(stage))


def staging_of(store: Store, stage: Place | None, context: Context, *, plain_http: bool) -> Staging:
    """Return what the run's submissions get their images' addresses from."""
    if stage is None or not has_images(store):
        return HostedOnly()

    async def find(reference: str) -> tuple[str, int] | None:
        return await context.ledger.do(partial(image_file, reference=reference))

    def tell(reference: str, size_bytes: int) -> None:
        context.tell("staged", image=reference, bytes=size_bytes)

    return Stage(stage, find, tell, plain_http=plain_http)
