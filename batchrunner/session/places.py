"""What of a folder lies in object stores: where its local images are sent from, and where its films go.

The folder remembers both, never a key.  Another place may be named at any time.  Images are known by their
bytes, so they go up to the new stage as well; films that are stored stay where they are and are found there,
as their whole URLs are in the ledger, and only what is not stored yet goes to the new store.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ..client import Client
from ..errors import Usage
from ..folder.folder import Folder
from ..ledger import Store
from ..ledger.images import has_images, image_file
from ..ledger.stored import STORE_FACT
from ..manifest import NamedManifest
from ..objects import FOLDER, REMOTE, Place, parse_place
from ..staging.uploading import Stage, open_stage
from ..storing.films import FilmStore

if TYPE_CHECKING:
    from ..pool import Context

STAGE_FACT: Final = "stage"
DROP_FACT: Final = "drop_local"
"""The folder's facts; this one says, by being there, that local copies of stored films go."""

STORES: Final = (*REMOTE, FOLDER)


class PlacesAsked(Struct, frozen=True, kw_only=True):
    """What a command names; what it does not is as the folder remembers it."""

    stage: Place | None = None
    store: Place | None = None
    keep_local: bool | None = None


class Places(Struct, frozen=True, kw_only=True):
    """What counts for one run."""

    stage: Place | None
    films: FilmStore | None

    @classmethod
    def settle(
        cls, store: Store, asked: PlacesAsked, folder: Folder, manifest: NamedManifest | None
    ) -> Places:
        """Return what counts, and let the *manifest* know whether local images can be sent.

        Raises Usage for what makes no sense.
        """
        stage = asked.stage or _remembered(store, STAGE_FACT, "--stage", REMOTE)
        if manifest is not None:
            manifest.may_stage = stage is not None
        return cls(stage=stage, films=_films(store, asked, folder))

    def record(self, store: Store) -> None:
        if self.stage is not None:
            store.set_fact(STAGE_FACT, str(self.stage))
        if self.films is not None:
            store.set_fact(STORE_FACT, str(self.films.place))
            store.set_fact(DROP_FACT, "1" if self.films.drop_local else None)

    async def check(self, store: Store, client: Client) -> None:
        """Find out before anything is paid what would stand in the way of every job.

        Raises Usage and StoreTrouble.
        """
        if self.films is not None:
            await self.films.probe()
        if not has_images(store):
            return
        if self.stage is None:
            raise Usage(
                "jobs of this folder name local images, and no place to send them from is known",
                hint="add --stage s3://BUCKET/PREFIX",
            )
        await open_stage(self.stage, plain_http=_is_here(client))

    def connect(self, store: Store, context: Context) -> None:
        """Give a run what it reaches them by."""
        context.films = self.films
        if self.stage is None or not has_images(store):
            return

        async def find(reference: str) -> tuple[str, int] | None:
            return await context.ledger.do(partial(image_file, reference=reference))

        def tell(reference: str, size_bytes: int) -> None:
            context.tell("staged", image=reference, bytes=size_bytes)

        context.staging = Stage(self.stage, find, tell, plain_http=_is_here(context.client))


def _films(store: Store, asked: PlacesAsked, folder: Folder) -> FilmStore | None:
    place = asked.store or _remembered(store, STORE_FACT, "--store", STORES)
    if place is None:
        if asked.keep_local is False:
            raise Usage(
                "--drop-local without --store would leave no film", hint="add --store s3://BUCKET/PREFIX"
            )
        return None
    if place.scheme == FOLDER and Path("/", place.prefix).resolve().is_relative_to(
        folder.whole.path.resolve()
    ):
        raise Usage(f"--store {place} is inside the output folder", hint="name a place outside of it")
    keep = asked.keep_local
    drop_local = store.fact(DROP_FACT) is not None if keep is None else not keep
    return FilmStore(place, folder.path, drop_local=drop_local, shared=folder.shard is not None)


def _remembered(store: Store, fact: str, flag: str, schemes: tuple[str, ...]) -> Place | None:
    written = store.fact(fact)
    return None if written is None else parse_place(written, flag, schemes)


def _is_here(client: Client) -> bool:
    """Return whether the service is on this machine, and may fetch from there without TLS."""
    return client.is_local or client.is_stand_in
