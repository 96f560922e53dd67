"""The ledger's file: opened again, migrated with a backup, refused when it is from the future."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from batchrunner.errors import FolderUnusable
from batchrunner.ledger import Store
from batchrunner.ledger.connections import begin_log
from batchrunner.ledger.images import has_images, written_paths
from batchrunner.ledger.schema import SCHEMA, VERSION, ensure_schema, schema_version
from batchrunner.ledger.stored import has_stored, stored_films
from batchrunner.lifecycle import State
from tests.builders import as_of_version_4, bring, some_jobs, take, the

MIGRATIONS = {
    VERSION: "ALTER TABLE jobs ADD COLUMN mood TEXT;",
    VERSION + 1: "UPDATE jobs SET mood = 'calm';",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def test_everything_is_there_when_the_ledger_is_opened_again(path):
    with closing(Store.open(path)) as store:
        take(store, some_jobs(2))
        before = bring(store, State.READY, "job-00")

    with closing(Store.open(path)) as again:
        assert the(again, "job-00") == before
        assert again.counts()[State.PENDING] == 1


def test_the_ledger_is_the_users_alone(path):
    Store.open(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_every_commit_is_synced_because_money_depends_on_it(path):
    with closing(Store.open(path)) as store:
        pragmas = [
            store.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode")
        ]

    assert pragmas == [2, "wal"]  # FULL


def test_a_new_ledger_may_get_its_log_later_and_is_synced_as_well_until_then(path):
    with closing(Store.open(path, log_at_once=False)) as store:
        asked = "PRAGMA synchronous", "PRAGMA journal_mode"
        before = [store.connection.execute(each).fetchone()[0] for each in asked]
        take(store, some_jobs(2))
        begin_log(store.connection, path)
        after = [store.connection.execute(each).fetchone()[0] for each in asked]

    with closing(Store.open(path, log_at_once=False)) as again:
        assert again.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert again.counts()[State.PENDING] == 2
    assert (before, after) == ([2, "truncate"], [2, "wal"])


def test_somebody_who_reads_for_long_leaves_a_new_ledger_without_its_log(path):
    with (
        closing(Store.open(path, log_at_once=False)) as store,
        closing(Store.read_only(path)) as reader,
        reader.snapshot(),
    ):
        reader.counts()
        store.connection.execute("PRAGMA busy_timeout = 10")

        begin_log(store.connection, path)

        assert store.connection.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"


def test_after_a_checkpoint_one_file_holds_everything(path, tmp_path):
    with closing(Store.open(path)) as store:
        take(store, some_jobs(2))
        store.checkpoint()
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(path.read_bytes())

    with closing(Store.read_only(copy)) as read:
        assert read.counts()[State.PENDING] == 2


def test_a_transaction_that_fails_leaves_nothing(path):
    def fail(store: Store) -> None:
        with store.transaction():
            store.set_fact("origin", "https://a.example.com")
            raise ZeroDivisionError

    with closing(Store.open(path)) as store:
        with pytest.raises(ZeroDivisionError):
            fail(store)

        assert store.fact("origin") is None


def test_a_reader_sees_what_is_committed_while_a_run_writes(path):
    with closing(Store.open(path)) as store, closing(Store.read_only(path)) as reader:
        take(store, some_jobs(2))
        with store.transaction():
            store.intend(1, 1.0)
            assert reader.counts()[State.PENDING] == 2

        assert reader.counts()[State.SUBMITTING] == 1


def test_a_reader_cannot_write(path):
    Store.open(path).close()

    with closing(Store.read_only(path)) as reader, pytest.raises(sqlite3.OperationalError):
        reader.set_fact("origin", "x")


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 50])
def test_what_is_no_ledger_is_refused_with_a_reason(path, content):
    path.write_bytes(content)

    with pytest.raises(FolderUnusable):
        Store.read_only(path)


def test_whatever_is_tried_on_a_copy_stays_on_the_copy(path):
    with closing(Store.open(path)) as store:
        take(store, some_jobs(2))
    before = path.read_bytes()

    with closing(Store.copy_of(path)) as copy:
        bring(copy, State.SUCCEEDED, "job-00")

    assert path.read_bytes() == before


# ── versions ──


def test_a_ledger_of_a_newer_program_is_refused_and_left_alone(path):
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.commit()

    with pytest.raises(FolderUnusable, match="newer") as raised:
        Store.open(path)

    assert "upgrade" in str(raised.value.hint)
    with closing(sqlite3.connect(path)) as connection:
        assert schema_version(connection) == VERSION + 1


def an_old_ledger(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    connection.execute(
        "INSERT INTO jobs (id, position, file, row, model, inputs, meta, fingerprint, state)"
        " VALUES ('fox', 1, 'jobs.csv', 2, 'acme/x', '{}', '{}', 'ab', 'succeeded')"
    )
    return connection


def test_an_older_ledger_is_migrated_step_by_step_after_a_backup(path):
    with closing(an_old_ledger(path)) as connection:
        ensure_schema(connection, path, version=VERSION + 2, migrations=MIGRATIONS)

        assert connection.execute("SELECT id, state, mood FROM jobs").fetchall() == [
            ("fox", "succeeded", "calm")
        ]
        assert schema_version(connection) == VERSION + 2

    with closing(sqlite3.connect(path.with_name(f"ledger.sqlite.v{VERSION}.bak"))) as backup:
        assert schema_version(backup) == VERSION
        assert backup.execute("SELECT id, state FROM jobs").fetchall() == [("fox", "succeeded")]


def test_a_ledger_from_before_images_and_stores_is_read_as_it_is_and_migrated_by_the_next_run(path):
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        as_of_version_4(connection)
        connection.executescript("DROP TABLE images; DROP TABLE stored; PRAGMA user_version = 2;")

    with closing(Store.read_only(path)) as reader:
        assert written_paths(reader) == {}
        assert not has_stored(reader)
    with closing(sqlite3.connect(path)) as connection:
        assert schema_version(connection) == 2
    with closing(Store.open(path)) as store:
        assert not has_images(store)
        assert list(stored_films(store)) == []


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(path):
    broken = {**MIGRATIONS, VERSION + 1: "UPDATE jobs SET nowhere = 1;"}

    with closing(an_old_ledger(path)) as connection, pytest.raises(sqlite3.OperationalError):
        ensure_schema(connection, path, version=VERSION + 2, migrations=broken)

    with closing(sqlite3.connect(path)) as connection:
        assert schema_version(connection) == VERSION
        assert "mood" not in [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]


def test_todays_ledger_is_not_touched(path):
    with closing(an_old_ledger(path)) as connection:
        ensure_schema(connection, path)

    assert [file.name for file in path.parent.iterdir()] == ["ledger.sqlite"]
