"""Films on their way to a store, in virtual time: what is recorded when, and what is tried again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from batchrunner.client import Client
from batchrunner.events import RunEvent
from batchrunner.ledger import LedgerWriter, Store
from batchrunner.ledger.stored import count_unstored, stored_films, unstored
from batchrunner.lifecycle import State
from batchrunner.objects import Place, StoreTrouble
from batchrunner.pool.context import Context
from batchrunner.pool.storing import store_each, store_films
from batchrunner.settings import Settings
from batchrunner.storing.films import MOST_FAILURES, FilmStore
from tests.builders import bring, some_jobs, take
from tests.doubles import MemoryShelf, in_virtual_time

PLACE = Place(scheme="s3", bucket="films", prefix="")


@dataclass(slots=True)
class BucketOfThisTest(FilmStore):
    """A store that takes what it is told to take, and says what the ledger knew when a copy went."""

    store: Store
    refusals: int = 0
    drop_local: bool = True
    place: Place = PLACE
    puts: list[str] = field(default_factory=list)
    let_go_of: list[tuple[str, int]] = field(default_factory=list)
    trouble: str = ""
    _failures: int = 0

    async def put(self, file: str, *, size_bytes: int, sha256: str) -> str:
        self.puts.append(file)
        if self.refusals:
            self.refusals -= 1
            raise StoreTrouble("it takes nothing")
        return PLACE.url_of(file)

    async def let_go(self, file: str, url: str) -> None:
        self.let_go_of.append((file, count_unstored(self.store)))


@pytest.fixture
def store():
    with_films = Store.in_memory()
    take(with_films, some_jobs(5))
    for number in range(5):
        bring(with_films, State.SUCCEEDED, f"job-{number:02d}")
    yield with_films
    with_films.close()


@pytest.fixture
def events() -> list[RunEvent]:
    return []


def context_with(films: BucketOfThisTest, events: list[RunEvent]) -> Context:
    return Context(
        settings=Settings(),
        ledger=LedgerWriter(films.store, in_thread=False),
        client=cast("Client", None),  # nothing is asked of the service
        shelf=MemoryShelf(),
        listener=events.append,
        films=films,
    )


def names(events: list[RunEvent]) -> list[str]:
    return [event.name for event in events]


def test_the_record_comes_before_the_local_copy_goes(store, events):
    films = BucketOfThisTest(store)

    in_virtual_time(lambda: store_films(context_with(films, events), 1, 1))

    assert films.let_go_of == [("videos/job-00.mp4", 4)]
    assert [film.is_here for film in stored_films(store)] == [False]
    assert names(events) == ["stored"]


def test_a_film_that_is_called_otherwise_by_then_goes_by_its_name_of_that_moment(store, events):
    class Mover(BucketOfThisTest):
        async def put(self, file: str, *, size_bytes: int, sha256: str) -> str:
            store.file_moved(file, "superseded/videos/job-00.g1.mp4")
            return PLACE.url_of(file)

    films = Mover(store)

    in_virtual_time(lambda: store_films(context_with(films, events), 1, 1))

    assert [file for file, _ in films.let_go_of] == ["superseded/videos/job-00.g1.mp4"]


def test_a_film_is_tried_again_and_what_fails_after_all_is_told_once(store, events):
    twice, always = BucketOfThisTest(store, refusals=2), BucketOfThisTest(store, refusals=99)

    in_virtual_time(lambda: store_films(context_with(twice, events), 1, 1))
    in_virtual_time(lambda: store_films(context_with(always, events), 2, 1))

    assert (len(twice.puts), len(always.puts)) == (3, 3)
    assert names(events) == ["stored", "store_failed"]
    assert count_unstored(store) == 4


def test_a_store_that_takes_nothing_is_left_alone_and_that_is_said_once(store, events):
    films = BucketOfThisTest(store, refusals=999)

    in_virtual_time(lambda: store_each(context_with(films, events), films, iter(unstored(store))))

    assert len(films.puts) == 3 * MOST_FAILURES
    assert names(events) == ["store_failed"] * MOST_FAILURES + ["warning"]
    assert films.trouble == "it takes nothing"


def test_what_is_left_of_earlier_runs_waits_when_this_one_is_to_end(store, events):
    films = BucketOfThisTest(store)

    async def drained() -> None:
        context = context_with(films, events)
        context.stopping.drain("enough")
        await store_each(context, films, iter(unstored(store)))

    in_virtual_time(drained)

    assert films.puts == []
