"""A manifest in an empty ledger goes straight into its table; nobody can tell afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from batchrunner.errors import ManifestInvalid
from batchrunner.ledger import Store
from batchrunner.ledger.intake import MOST_CHARACTERS, MOST_VALUES, stage
from batchrunner.ledger.schema import SCHEMA, VERSION
from batchrunner.plan import load_jobs
from tests.builders import a_job, some_jobs, take, the


def indexes(store):
    rows = store.connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name")
    return [tuple(row) for row in rows]


def described(problems):
    return [(problem.place.line, problem.id, problem.message, problem.hint) for problem in problems]


REPEATED = [
    a_job("fox", row=2),
    a_job(None, row=3),
    a_job("owl", row=4),
    a_job("fox", row=5, seed=1),
    a_job(None, row=6),
    a_job("fox", row=7, seed=2),
]


def test_every_index_is_there_again_after_a_load():
    with closing(Store.in_memory()) as store:
        before = indexes(store)

        take(store, some_jobs(3))

        assert indexes(store) == before


def test_a_load_of_many_statements_keeps_every_row_and_their_order():
    many = MOST_VALUES  # eight times as many values
    with closing(Store.scratch()) as store:
        take(store, (a_job(f"job-{number}", row=number) for number in range(many, 0, -1)))

        found = store.connection.execute("SELECT position, id, row FROM jobs ORDER BY seq").fetchall()

    assert [tuple(row) for row in found] == [
        (at, f"job-{number}", number) for at, number in enumerate(range(many, 0, -1), 1)
    ]


def test_large_rows_are_loaded_as_well():
    text = "x" * (MOST_CHARACTERS // 2)
    with closing(Store.scratch()) as store:
        take(store, [a_job(f"large-{number}", text=text) for number in range(5)])

        assert the(store, "large-4").inputs["text"] == text


def test_ids_used_twice_are_named_alike_in_an_empty_ledger_and_in_one_with_jobs():
    with closing(Store.in_memory()) as empty, closing(Store.in_memory()) as full:
        take(full, some_jobs(1))

        first, second = stage(empty, REPEATED), stage(full, REPEATED)

    assert described(first.problems) == described(second.problems)
    assert [line for line, *_ in described(first.problems)] == [5, 6, 7]
    assert first.jobs == second.jobs == 3


def test_of_a_manifest_with_a_problem_nothing_stays():
    with closing(Store.in_memory()) as store:
        before = indexes(store)

        with pytest.raises(ManifestInvalid):
            load_jobs(store, REPEATED)

        assert store.count("1") == 0
        assert indexes(store) == before


def test_an_interruption_while_rows_are_read_leaves_nothing_either():
    def rows():
        yield from some_jobs(MOST_VALUES)
        raise KeyboardInterrupt

    with closing(Store.scratch()) as store:
        before = indexes(store)

        with pytest.raises(KeyboardInterrupt), store.transaction():
            load_jobs(store, rows())

        assert store.count("1") == 0
        assert indexes(store) == before


def test_an_empty_ledger_of_an_earlier_version_takes_jobs_in_too(tmp_path):
    path = tmp_path / "ledger.sqlite"
    older = SCHEMA.replace("CREATE UNIQUE INDEX jobs_by_id ON jobs (id);", "")
    older = older.replace("id            TEXT NOT NULL,", "id            TEXT NOT NULL UNIQUE,", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN; {older} PRAGMA user_version = {VERSION}; COMMIT;")

    with closing(Store.open(path)) as store:
        with pytest.raises(ManifestInvalid):
            load_jobs(store, REPEATED)
        take(store, some_jobs(2))

        assert list(store.ids()) == ["job-00", "job-01"]
        assert any(name.startswith("sqlite_autoindex_jobs") for name, _ in indexes(store))
