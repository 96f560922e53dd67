"""Does the store still have what the ledger says it has?

One look at each object: its length, and the hash its metadata say.  Metadata are what was said at the upload,
so a store that damages bytes silently is not found out; a folder used as a store has none, and is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import anyio
from msgspec import Struct

from ..folder.folder import Folder
from ..folder.ownership import owned
from ..folder.reading import reading
from ..ledger.stored import StoredFilm, forget_stored, stored_films
from ..objects import Bucket, StoreTrouble, split_url

AT_ONCE: Final = 16


class StoredFlaw(Struct, frozen=True, kw_only=True):
    """One object that is not what the ledger says."""

    film: StoredFilm
    problem: str

    @property
    def can_be_mended(self) -> bool:
        """Whether there is a local copy to store again, or the service can be asked for the film again."""
        return self.film.is_here or self.film.is_current


async def check_stored(folder: Folder) -> tuple[int, list[StoredFlaw]]:
    """Return how many objects there should be, and those that are not as they should.

    Raises Usage and StoreTrouble.
    """
    with reading(folder) as store:
        films = list(stored_films(store))
    buckets = {place: Bucket(place) for place in {split_url(film.url)[0] for film in films}}
    flaws: list[StoredFlaw] = []
    troubles: list[StoreTrouble] = []
    waiting = iter(films)

    async def look_at_each() -> None:
        for film in waiting:
            if troubles:
                return
            place, name = split_url(film.url)
            try:
                problem = await _problem(buckets[place], name, film)
            except StoreTrouble as trouble:
                troubles.append(trouble)
            else:
                if problem is not None:
                    flaws.append(StoredFlaw(film=film, problem=problem))

    async with anyio.create_task_group() as tasks:
        for _ in range(min(AT_ONCE, len(films))):
            tasks.start_soon(look_at_each)
    if troubles:
        raise troubles[0]
    return len(films), sorted(flaws, key=lambda flaw: flaw.film.url)


async def _problem(bucket: Bucket, name: str, film: StoredFilm) -> str | None:
    found = await bucket.look(name)
    if found is None:
        return "not in the store"
    if found.size_bytes != film.size_bytes:
        return f"{found.size_bytes:,} bytes in the store instead of {film.size_bytes:,}"
    said = found.sha256 or await bucket.hash_of(name)
    return None if said == film.sha256 else "other bytes are in the store"


def mark_stored(folder: Folder, flaws: Iterable[StoredFlaw]) -> None:
    """Let the next run store again what is here, and fetch again what is not; nothing is generated again."""
    with owned(folder) as store, store.transaction():
        for flaw in flaws:
            if flaw.can_be_mended:
                forget_stored(store, flaw.film)
