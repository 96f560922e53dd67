"""The output folder: refused where a run could pay again, private, and owned by one run at a time."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from batchrunner.errors import FolderUnusable, ManifestMissing
from batchrunner.folder.folder import RESULTS, Folder, Lock
from batchrunner.folder.ownership import owned
from batchrunner.ledger import Store
from tests.builders import some_jobs, take


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "out")


def with_results(folder: Folder, name: str) -> None:
    folder.create()
    if "." in name:
        (folder.path / name).write_text("{}\n")
    else:
        (folder.path / name).mkdir()
        (folder.path / name / "fox.mp4").touch()


def test_a_folder_that_does_not_exist_yet_may_be_used(folder):
    folder.check_usable()
    folder.create()
    folder.check_usable()

    assert folder.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", RESULTS)
def test_results_without_a_ledger_are_refused_not_paid_again(folder, name):
    with_results(folder, name)

    with pytest.raises(FolderUnusable, match="would pay again") as raised:
        folder.check_usable()

    assert name in str(raised.value)
    assert "ledger.sqlite" in str(raised.value.hint)


def test_results_with_an_empty_ledger_are_refused_too(folder):
    with_results(folder, "videos")
    folder.ledger.touch()

    with pytest.raises(FolderUnusable, match="would pay again"):
        folder.check_usable()


def test_results_with_their_ledger_are_fine(folder):
    with owned(folder) as store:
        take(store, some_jobs(1))
    with_results(folder, "videos")

    folder.check_usable()


def test_other_peoples_files_do_not_matter(folder):
    folder.create()
    (folder.path / "notes.txt").write_text("mine")
    (folder.path / "videos").mkdir()

    folder.check_usable()


def test_a_file_in_the_place_of_the_folder_is_refused(folder):
    folder.path.write_text("a file")

    with pytest.raises(FolderUnusable, match="not a folder"):
        folder.check_usable()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_cannot_be_made_where_a_file_is(folder, below):
    folder.path.write_text("a file")

    with pytest.raises(FolderUnusable):
        Folder(folder.path / below).create()


def test_reading_needs_a_ledger(folder):
    with pytest.raises(ManifestMissing, match=r"no ledger\.sqlite"):
        folder.require_ledger()

    with owned(folder):
        folder.require_ledger()


# ── one owner ──


def test_a_second_run_is_told_who_owns_the_folder(folder):
    with (
        owned(folder),
        pytest.raises(FolderUnusable, match=f"process {os.getpid()} on ") as raised,
        owned(folder),
    ):
        pass

    assert "since 20" in str(raised.value)


def test_a_lock_ends_with_its_owner(folder):
    with owned(folder):
        pass
    with owned(folder) as store:
        assert store.counts()


def test_a_killed_owner_holds_nothing(folder):
    script = (
        "import os, signal, sys; from pathlib import Path; from batchrunner.folder.folder import Folder;"
        "from batchrunner.folder.ownership import owned\n"
        "with owned(Folder(Path(sys.argv[1]))) as store: os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(folder.path)], check=False, timeout=60)
    assert killed.returncode == -9

    with owned(folder) as store:
        assert store.count("1") == 0


def test_a_lock_file_that_says_nothing_readable_names_nobody(folder):
    with owned(folder):
        folder.lock_file.write_bytes(b"\xff\xfe{")
        with pytest.raises(FolderUnusable, match=r"process \? on \?"), owned(folder):
            pass


# ── a ledger that lost its latest commits ──


def killed_half_way(folder: Folder, copy: Folder, *, with_log: bool) -> None:
    """Leave in *copy* what a copy of the folder has, made while a run was writing."""
    copy.create()
    with owned(folder) as store:
        take(store, some_jobs(2))
        names = [folder.ledger.name, folder.lock_file.name] + ["ledger.sqlite-wal"] * with_log
        for name in names:
            (copy.path / name).write_bytes((folder.path / name).read_bytes())


def test_a_ledger_without_its_latest_commits_is_refused(folder, tmp_path):
    copy = Folder(tmp_path / "copy")
    killed_half_way(folder, copy, with_log=False)

    with pytest.raises(FolderUnusable, match="could pay again") as raised, owned(copy):
        pass

    assert "ledger.sqlite-wal" in str(raised.value)


def test_a_ledger_with_its_log_is_whole(folder, tmp_path):
    copy = Folder(tmp_path / "copy")
    killed_half_way(folder, copy, with_log=True)

    with owned(copy) as store:
        assert store.count("1") == 2


@pytest.mark.parametrize("gone", [["ledger.sqlite", "ledger.sqlite-wal"], ["ledger.sqlite-wal"]])
def test_what_a_killed_run_left_is_refused_when_its_ledger_is_taken_away(folder, tmp_path, gone):
    copy = Folder(tmp_path / "copy")
    killed_half_way(folder, copy, with_log=True)
    for name in gone:
        (copy.path / name).unlink()

    with pytest.raises(FolderUnusable, match="could pay again") as raised, owned(copy):
        pass

    assert gone[0] in str(raised.value)


def test_a_log_whose_first_commits_are_damaged_is_refused(folder, tmp_path):
    copy = Folder(tmp_path / "copy")
    killed_half_way(folder, copy, with_log=True)
    log = copy.path / "ledger.sqlite-wal"
    log.write_bytes(log.read_bytes()[:5000] + b"\xff" * 100 + log.read_bytes()[5100:])

    with pytest.raises(FolderUnusable, match="could pay again"), owned(copy):
        pass


def first_commit(path: Path) -> dict[str, bytes]:
    """Return what a ledger's first commit, which makes the tables, has left before anything is closed."""
    path.parent.mkdir()
    with closing(Store.open(path)):
        return {
            file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")
        }


@pytest.mark.parametrize("part", [0, 1, 32, 100, 4152, 0.3, 0.9, 0.999])
def test_a_kill_within_the_first_commit_leaves_a_folder_to_begin_in(folder, tmp_path, part):
    files = first_commit(tmp_path / "first" / "ledger.sqlite")
    log = files["ledger.sqlite-wal"]
    folder.create()
    for name, content in files.items():
        (folder.path / name).write_bytes(content)
    written = part if isinstance(part, int) else int(len(log) * part)
    (folder.path / "ledger.sqlite-wal").write_bytes(log[:written])

    assert not folder.has_ledger()
    folder.check_usable()
    with owned(folder) as store:
        take(store, some_jobs(1))
    assert folder.has_ledger()


KILLED_WHILE_IT_TAKES_IN = """
import os, signal, sys
from pathlib import Path
from batchrunner.folder.folder import Folder
from batchrunner.folder.ownership import owned
with owned(Folder(Path(sys.argv[1])), log_at_once=False) as store:
    store.connection.execute("PRAGMA cache_size = 10")  # so that jobs go to the file before the commit
    with store.transaction():
        rows = ((f"fact {n}", "x" * 2000) for n in range(500))
        store.connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_while_a_manifest_is_taken_in_leaves_a_folder_to_go_on_in(folder):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_IT_TAKES_IN, str(folder.path)], check=False, timeout=60
    )
    assert killed.returncode == -9
    assert folder.ledger.stat().st_size > 500_000

    folder.check_usable()
    with owned(folder, log_at_once=False) as store:
        assert store.fact("fact 1") is None
        take(store, some_jobs(1))


def test_whoever_comes_while_a_manifest_is_taken_in_is_told_at_once(folder):
    with owned(folder, log_at_once=False) as store:
        store.connection.execute("PRAGMA cache_size = 10")
        with store.transaction():
            store.connection.executemany(
                "INSERT INTO facts VALUES (?, ?)", ((f"fact {n}", "x" * 2000) for n in range(500))
            )

            folder.check_usable()
            with pytest.raises(FolderUnusable, match=f"process {os.getpid()} on "), owned(folder):
                pass


def test_nothing_is_missed_of_a_ledger_that_has_no_log_yet(folder, tmp_path):
    copy = Folder(tmp_path / "copy")
    with owned(folder, log_at_once=False) as store:
        take(store, some_jobs(2))
        copy.create()
        for name in (folder.ledger.name, folder.lock_file.name):
            (copy.path / name).write_bytes((folder.path / name).read_bytes())

    with owned(copy) as store:
        assert store.count("1") == 2


def test_from_its_log_on_a_ledger_without_it_is_refused(folder, tmp_path):
    copy = Folder(tmp_path / "copy")
    with owned(folder, log_at_once=False) as store:
        take(store, some_jobs(2))
        store.begin_log()
        copy.create()
        for name in (folder.ledger.name, folder.lock_file.name):
            (copy.path / name).write_bytes((folder.path / name).read_bytes())

    with pytest.raises(FolderUnusable, match="could pay again"), owned(copy):
        pass


@pytest.mark.parametrize("log_at_once", [True, False])
def test_whoever_only_reads_the_ledger_of_a_run_takes_nothing_away_from_it(folder, log_at_once):
    reads = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM jobs').fetchone()"
    )
    with owned(folder, log_at_once=log_at_once) as store:
        take(store, some_jobs(1))
        store.begin_log()
        subprocess.run([sys.executable, "-c", reads, str(folder.ledger)], check=True, timeout=60)

        assert folder.has_write_ahead_log()
        store.connection.execute("UPDATE jobs SET row = row + 1")
    with owned(folder) as store:
        assert store.count("1") == 1


def test_a_ledger_with_its_first_commit_is_one(folder, tmp_path):
    folder.create()
    for name, content in first_commit(tmp_path / "first" / "ledger.sqlite").items():
        (folder.path / name).write_bytes(content)

    assert folder.has_ledger()


def test_a_kill_within_the_first_commit_without_a_log_leaves_a_folder_to_begin_in(folder, monkeypatch):
    monkeypatch.setattr("batchrunner.ledger.connections.has_shared_memory", lambda path: False)
    folder.create()
    connection = sqlite3.connect(folder.ledger)
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA cache_size = 1")  # so that pages go to the file before the commit
    connection.execute("BEGIN")
    for table in range(20):
        connection.execute(f"CREATE TABLE t{table} (a PRIMARY KEY)")
    half = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    connection.close()
    for name, content in half.items():
        (folder.path / name).write_bytes(content)
    assert len(half["ledger.sqlite"]) > 4096
    assert half["ledger.sqlite-journal"]

    assert not folder.has_ledger()
    with owned(folder) as store:
        take(store, some_jobs(1))


def test_a_folder_that_was_closed_well_says_so(folder):
    with owned(folder) as store:
        take(store, some_jobs(1))
        assert json.loads(folder.lock_file.read_text())["ledger"] == "open"

    assert json.loads(folder.lock_file.read_text())["ledger"] == "closed"
    with owned(folder) as store:
        assert store.count("1") == 1


def test_a_refused_manifest_leaves_no_folder_behind(folder):
    folder.create()
    Store.open(folder.ledger).close()
    folder.lock_file.touch()

    folder.forget_ledger(with_folder=True)

    assert not folder.path.exists()


def test_a_folder_with_something_of_the_users_stays(folder):
    folder.create()
    (folder.path / "notes.txt").write_text("mine")

    folder.forget_ledger(with_folder=True)

    assert (folder.path / "notes.txt").exists()


def test_whoever_asks_is_told_the_owner_at_any_instant_of_its_lock_files_life(folder, tmp_path):
    folder.create()
    folder.lock_file.write_text(json.dumps({"pid": 1, "host": "h" * 200, "started_at": "before"}))
    told: list[str] = []

    with folder.locked() as lock, ThreadPoolExecutor(1) as beside:
        lock.control = tmp_path / "control.sock"
        writing = beside.submit(write_often, lock)
        while not writing.done():
            told += [owner.pid for owner in (folder.owner(),) if owner is not None]
        writing.result()

    assert set(told) <= {"1", str(os.getpid())}
    assert told[-1] == str(os.getpid())


def write_often(lock: Lock) -> None:
    for _ in range(200):
        lock.write(left_open=True)
        lock.write(left_open=False)
