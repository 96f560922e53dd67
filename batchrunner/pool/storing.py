"""From the folder to the store: a film is put there, in a download slot, and recorded before anything goes.

Nothing here changes a job's state: a film that cannot be stored is saved all the same, and the next run tries
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import anyio

from ..errors import Usage
from ..ledger import Store
from ..ledger.stored import Film, file_of, record_stored, unstored_of
from ..objects import StoreTrouble
from ..policy.backoff import DOWNLOAD
from ..storing.films import FilmChanged, FilmStore
from .context import Context

TRIES: Final = 3
"""Of a film in one run; each is several of obstore's own."""


async def store_films(context: Context, seq: int, generation: int) -> None:
    """Store what one generation of a job has saved.  To be called in a download slot."""
    if context.films is None:
        return
    films = await context.ledger.do(partial(unstored_of, seq=seq, generation=generation))
    for film in films:
        await _store(context, context.films, film)


async def store_each(context: Context, films: FilmStore, remaining: Iterator[Film]) -> None:
    """Store of *remaining*, which several tasks share, one after the other, until the run is to end."""
    for film in remaining:
        if context.stopping.requested or films.gave_up:
            return
        async with context.download_slots:
            await _store(context, films, film)


async def _store(context: Context, films: FilmStore, film: Film) -> None:
    """Try until the film is stored and recorded; say what stands against it after the last try."""
    why = ""
    for tries in range(1, TRIES + 1):
        if films.gave_up:
            return
        try:
            url = await films.put(film.file, size_bytes=film.size_bytes, sha256=film.sha256)
        except (StoreTrouble, Usage) as error:
            why = error.message
        except OSError as error:  # of the local file
            why = f"{film.file}: {error.strerror}"
        except FilmChanged as error:
            why = str(error)
            break
        else:
            await _record(context, films, film, url)
            return
        if tries < TRIES:
            await anyio.sleep(DOWNLOAD.delay_s(tries, context.uniform()))
            latest = await context.ledger.do(partial(unstored_of, seq=film.seq, generation=film.generation))
            film = next((one for one in latest if one.n == film.n), film)  # it may have been moved
    films.failed(why)
    entry = await context.ledger.do(partial(Store.entry, seq=film.seq))
    context.tell("store_failed", entry, message=why)
    if films.gave_up:
        context.tell("warning", message=f"{films.place} takes nothing: films stay here until a later run")


async def _record(context: Context, films: FilmStore, film: Film, url: str) -> None:
    """Record that the store has the film; only then its local copy goes, where that is wanted."""
    now = context.wall_clock()
    await context.ledger.do(partial(record_stored, film=film, url=url, now=now))
    entry = await context.ledger.do(partial(Store.entry, seq=film.seq))
    context.tell("stored", entry, url=url)
    if films.drop_local:
        async with context.moving:  # by the name it has now: its old one may be another film's
            file = await context.ledger.do(partial(file_of, film=film))
            if file is not None:
                await films.let_go(file, url)
                drop = partial(Store.local_gone, seq=film.seq, generation=film.generation, n=film.n)
                await context.ledger.do(drop)
