"""Many saved files are found to be there by one scan; whatever is not certain is left for a closer look."""

from __future__ import annotations

import json
import os
from contextlib import closing

import pytest

from batchrunner.folder import presence
from batchrunner.folder.presence import all_there, look_at_folders, remember
from batchrunner.ledger import Store, queries
from batchrunner.lifecycle import State
from tests.builders import bring, some_jobs, take


@pytest.fixture(autouse=True)
def two_are_many(monkeypatch):
    monkeypatch.setattr(presence, "FEW", 1)
    monkeypatch.setattr(queries, "NAMES_AT_ONCE", 2)


NAMES = ("job-00.mp4", "job-01.mp4", "job-01.2.mp4")


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        take(opened, some_jobs(3))
        bring(opened, State.SUCCEEDED, "job-00")
        bring(opened, State.SUCCEEDED, "job-01", outputs=2)
        yield opened


@pytest.fixture
def folder(store, tmp_path):
    (tmp_path / "videos").mkdir()
    for name in NAMES:
        (tmp_path / "videos" / name).touch()
    return tmp_path


def test_files_that_are_all_there_need_no_closer_look(store, folder):
    assert all_there(folder, store)


def test_a_file_that_vanished_is_noticed(store, folder):
    (folder / "videos/job-01.2.mp4").unlink()

    assert not all_there(folder, store)


def test_a_stranger_in_the_place_of_a_file_is_noticed(store, folder):
    (folder / "videos/job-00.mp4").rename(folder / "videos/other.mp4")

    assert not all_there(folder, store)


def test_what_the_system_leaves_in_a_folder_is_overlooked(store, folder):
    (folder / "videos/.DS_Store").touch()

    assert all_there(folder, store)


def test_files_that_are_spread_over_folders_are_found_there(store, folder):
    (folder / "videos/ab").mkdir()
    (folder / "videos/job-00.mp4").rename(folder / "videos/ab/job-00.mp4")
    assert not all_there(folder, store)

    store.file_moved("videos/job-00.mp4", "videos/ab/job-00.mp4")
    assert all_there(folder, store)


def test_a_folder_that_is_called_like_a_file_is_looked_into(store, folder):
    (folder / "videos/v1.mp4").mkdir()
    (folder / "videos/job-00.mp4").rename(folder / "videos/v1.mp4/job-00.mp4")
    store.file_moved("videos/job-00.mp4", "videos/v1.mp4/job-00.mp4")
    assert all_there(folder, store)

    (folder / "videos/v1.mp4/job-00.mp4").unlink()
    assert not all_there(folder, store)


def test_a_file_without_an_extension_is_no_folder(store, folder):
    (folder / "videos/job-00.mp4").rename(folder / "videos/job-00")
    store.file_moved("videos/job-00.mp4", "videos/job-00")

    assert all_there(folder, store)


def test_what_others_put_beside_them_changes_nothing(store, folder):
    for stranger in ("a.txt", "job-00.mp4.bak", "zz\njob-01.mp4"):
        (folder / "videos" / stranger).touch()
    assert all_there(folder, store)

    (folder / "videos/job-01.mp4").unlink()
    assert not all_there(folder, store)


def test_folders_and_files_of_like_names_are_told_apart(store, folder):
    for file, moved_to in (
        ("job-00.mp4", "a/b-c/x.mp4"),
        ("job-01.mp4", "a/b/x.mp4"),
        ("job-01.2.mp4", "a/b.mp4"),
    ):
        (folder / "videos" / moved_to).parent.mkdir(parents=True, exist_ok=True)
        (folder / "videos" / file).rename(folder / "videos" / moved_to)
        store.file_moved(f"videos/{file}", f"videos/{moved_to}")
    assert all_there(folder, store)

    (folder / "videos/a/b-c/x.mp4").unlink()
    assert not all_there(folder, store)


def test_a_folder_for_each_film_is_no_glance(store, folder, monkeypatch):
    monkeypatch.setattr(presence, "MOST_FOLDERS", 0)

    assert not all_there(folder, store)


def test_a_folder_that_is_gone_is_noticed(store, tmp_path):
    assert not all_there(tmp_path, store)


def test_few_files_are_always_looked_at_one_by_one(store, folder, monkeypatch):
    monkeypatch.setattr(presence, "FEW", 3)

    assert not all_there(folder, store)


# ── folders that have not changed ──


@pytest.fixture
def remembered(store, folder, monkeypatch):
    """What stands in ``videos``, some of it a folder deeper, was remembered long after it changed."""
    monkeypatch.setattr(presence, "RACY_S", -60.0)
    (folder / "videos/ab").mkdir()
    (folder / "videos/job-00.mp4").rename(folder / "videos/ab/job-00.mp4")
    store.file_moved("videos/job-00.mp4", "videos/ab/job-00.mp4")
    remember(store, look_at_folders(folder, store))
    return folder


@pytest.fixture
def listed(monkeypatch):
    """The folders that are listed."""
    found, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: [found.append(path), listdir(path)][1])
    return found


def test_a_folder_that_has_not_changed_is_not_listed_again(store, remembered, listed):
    assert all_there(remembered, store)

    assert [path for path in listed if "videos" in path] == []


@pytest.mark.parametrize("file", ["job-01.mp4", "ab/job-00.mp4"])
def test_a_file_that_vanishes_later_is_noticed(store, remembered, file):
    (remembered / "videos" / file).unlink()

    assert not all_there(remembered, store)


def test_only_the_folder_that_changed_is_listed(store, remembered, listed):
    (remembered / "videos/ab/stranger.txt").touch()

    assert all_there(remembered, store)
    assert [path for path in listed if "videos" in path] == [f"{remembered}/videos/ab/"]


def test_another_folder_of_the_name_is_looked_into(store, remembered):
    stamp = (remembered / "videos/ab").stat()
    (remembered / "videos/ab").rename(remembered / "old")
    (remembered / "videos/ab").mkdir()
    os.utime(remembered / "videos/ab", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    assert not all_there(remembered, store)


def test_a_folder_that_changed_a_moment_ago_is_not_relied_on(store, folder, listed):
    remember(store, look_at_folders(folder, store))
    listed.clear()

    assert all_there(folder, store)
    assert f"{folder}/videos/" in listed


def test_nothing_is_remembered_where_others_may_take_files_away(store, folder, monkeypatch):
    monkeypatch.setattr(presence, "is_surely_local", lambda path: False)

    remember(store, look_at_folders(folder, store))

    assert store.fact(presence.PRESENCE_FACT) is None


def test_of_a_folder_with_a_missing_file_nothing_is_remembered(store, folder, monkeypatch):
    monkeypatch.setattr(presence, "RACY_S", -60.0)
    (folder / "videos/job-01.mp4").unlink()

    remember(store, look_at_folders(folder, store))

    assert "videos/" not in json.loads(store.fact(presence.PRESENCE_FACT))
