"""Many saved files are found to be there by one scan; whatever is not certain is left for a closer look."""

from __future__ import annotations

from contextlib import closing

import pytest

from batchrunner import presence
from batchrunner.ledger import Store, queries
from batchrunner.lifecycle import State
from batchrunner.presence import all_there
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


def test_a_folder_that_is_gone_is_noticed(store, tmp_path):
    assert not all_there(tmp_path, store)


def test_few_files_are_always_looked_at_one_by_one(store, folder, monkeypatch):
    monkeypatch.setattr(presence, "FEW", 3)

    assert not all_there(folder, store)
