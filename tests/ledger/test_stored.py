"""What the ledger knows of films in a store, beside what it knows of those that are here."""

from __future__ import annotations

import pytest

from batchrunner.ledger import Store
from batchrunner.ledger.stored import (
    count_unstored,
    forget_stored,
    record_stored,
    stored_films,
    unstored,
    unstored_of,
)
from batchrunner.lifecycle import State
from tests.builders import a_job, bring, save, take, the

URL = "s3://films/videos/fox.mp4"


@pytest.fixture
def store():
    with_one = Store.in_memory()
    take(with_one, [a_job("fox")])
    yield with_one
    with_one.close()


def put_away(store: Store, *, drop: bool = True) -> None:
    """Store every film that is not stored; with *drop*, its local copy goes."""
    for film in unstored(store):
        record_stored(store, film, f"s3://films/{film.file}", 5.0)
        if drop:
            store.local_gone(film.seq, film.generation, film.n)


def test_a_saved_film_is_to_be_stored_until_it_is(store):
    entry = bring(store, State.SUCCEEDED)

    [film] = unstored_of(store, entry.seq, entry.generation)
    record_stored(store, film, URL, 5.0)

    assert film.file == "videos/fox.mp4"
    assert count_unstored(store) == 0
    [there] = stored_films(store)
    assert (there.url, there.is_here, there.is_current) == (URL, True, True)


def test_what_the_store_has_is_not_missing_when_it_is_gone_here(store):
    entry = bring(store, State.SUCCEEDED)
    put_away(store, drop=False)

    after = store.file_missing(entry.seq, [1])

    assert after.state is State.SUCCEEDED
    assert list(store.saved_files()) == []
    [artifact] = store.artifacts(entry.seq, entry.generation)
    assert (artifact.file, artifact.saved) == (None, True)


def test_of_two_outputs_only_the_one_that_is_nowhere_is_fetched_again(store):
    entry = bring(store, State.SUCCEEDED, outputs=2)
    first, second = unstored(store)
    record_stored(store, first, URL, 5.0)
    store.local_gone(first.seq, first.generation, first.n)

    after = store.file_missing(entry.seq, [second.n])

    assert after.state is State.READY
    assert [artifact.saved for artifact in store.artifacts(entry.seq, 1)] == [True, False]
    assert save(store).state is State.SUCCEEDED


def test_a_copy_that_is_nowhere_else_is_never_let_go(store):
    entry = bring(store, State.SUCCEEDED)

    assert not store.local_gone(entry.seq, entry.generation, 1)
    assert [file for _, _, file, _ in store.saved_files()] == ["videos/fox.mp4"]


def test_the_name_of_a_film_that_went_is_free_for_the_next_generation(store):
    bring(store, State.SUCCEEDED)
    put_away(store)
    with store.transaction():
        store.rerun(the(store), 6.0)

    bring(store, State.SUCCEEDED)

    assert [file for _, _, file, _ in store.saved_files()] == ["videos/fox.mp4"]
    assert store.superseded_files() == []
    assert [film.is_current for film in stored_films(store)] == [False]


def test_a_film_the_store_lost_is_fetched_again_only_where_it_is_not_here(store):
    entry = bring(store, State.SUCCEEDED)
    put_away(store, drop=False)
    [there] = stored_films(store)
    forget_stored(store, there)
    assert (the(store).state, count_unstored(store)) == (State.SUCCEEDED, 1)

    put_away(store)
    [there] = stored_films(store)
    forget_stored(store, there)

    assert the(store).state is State.READY
    assert [artifact.saved for artifact in store.artifacts(entry.seq, 1)] == [False]
