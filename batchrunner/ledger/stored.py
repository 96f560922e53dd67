"""Which films are in the store, and which are still to go there?

A film's local copy and the one in the store are two facts: ``artifacts.saved_at`` says that the file is here
under its name, a row of ``stored`` that the store has it.  A job has succeeded with either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .store import Store

STORE_FACT: Final = "store"
"""The folder's fact that names the place films go to."""


class Film(Struct, frozen=True, kw_only=True):
    """One saved output that is not in the store yet."""

    seq: int
    generation: int
    n: int
    file: str
    """Relative to the folder."""
    size_bytes: int
    sha256: str


class StoredFilm(Struct, frozen=True, kw_only=True):
    """One output in a store."""

    id: str
    seq: int
    generation: int
    n: int
    url: str
    size_bytes: int
    sha256: str
    is_here: bool
    """Whether there is a local copy, too."""
    is_current: bool


_UNSTORED: Final = """SELECT a.job, a.generation, a.n, file, bytes, sha256 FROM artifacts a
    LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)
    WHERE a.saved_at IS NOT NULL AND s.url IS NULL"""


def unstored(store: Store) -> list[Film]:
    """Return every film that is here and not in the store, superseded ones too."""
    return [_film(row) for row in store.connection.execute(f"{_UNSTORED} ORDER BY a.job")]


def unstored_of(store: Store, seq: int, generation: int) -> list[Film]:
    """Return those of one generation of a job."""
    rows = store.connection.execute(f"{_UNSTORED} AND (a.job, a.generation) = (?, ?)", (seq, generation))
    return [_film(row) for row in rows]


def count_unstored(store: Store) -> int:
    total: int = store.connection.execute(f"SELECT count(*) FROM ({_UNSTORED})").fetchone()[0]
    return total


def file_of(store: Store, film: Film) -> str | None:
    """Return the name a film has at this moment; None when it is not here any more."""
    row = store.connection.execute(
        "SELECT file FROM artifacts WHERE (job, generation, n) = (?, ?, ?) AND saved_at IS NOT NULL",
        (film.seq, film.generation, film.n),
    ).fetchone()
    return row[0] if row else None


def record_stored(store: Store, film: Film, url: str, now: float) -> None:
    """Record that the store has *film*; from here on its local copy may go."""
    store.connection.execute(
        "REPLACE INTO stored (job, generation, n, url, stored_at) VALUES (?, ?, ?, ?, ?)",
        (film.seq, film.generation, film.n, url, now),
    )


def forget_stored(store: Store, film: StoredFilm) -> None:
    """Record that the store does not have a film after all: it is put there again.

    One that is not here either is fetched again from the service, as far as its links can be renewed.
    """
    store.connection.execute(
        "DELETE FROM stored WHERE (job, generation, n) = (?, ?, ?)", (film.seq, film.generation, film.n)
    )
    if not film.is_here and film.is_current:
        store.file_missing(film.seq, [film.n])


def stored_films(store: Store) -> Iterator[StoredFilm]:
    """Yield everything that is in a store, as far as the ledger knows."""
    rows = store.connection.execute(
        "SELECT jobs.id, s.job, s.generation, s.n, s.url, a.bytes, a.sha256, a.saved_at IS NOT NULL,"
        " jobs.generation = s.generation FROM stored s"
        " JOIN artifacts a ON (a.job, a.generation, a.n) = (s.job, s.generation, s.n)"
        " JOIN jobs ON jobs.seq = s.job ORDER BY position, s.job, s.n"
    )
    for row in rows:
        yield StoredFilm(id=row[0], seq=row[1], generation=row[2], n=row[3], url=row[4], size_bytes=row[5],
                         sha256=row[6], is_here=bool(row[7]), is_current=bool(row[8]))  # fmt: skip


def has_stored(store: Store) -> bool:
    return store.connection.execute("SELECT 1 FROM stored LIMIT 1").fetchone() is not None


def _film(row: tuple[int, int, int, str, int, str]) -> Film:
    return Film(seq=row[0], generation=row[1], n=row[2], file=row[3], size_bytes=row[4], sha256=row[5])
