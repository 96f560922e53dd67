"""What the catalogue said earlier: kept privately, with its age, and never in the way."""

from __future__ import annotations

import json
import stat

import pytest

from batchrunner.catalogue import Shelf, shelf_of

ENTRY = {"model_id": "a/b", "base_price_usd": 0.5}


def test_what_was_kept_comes_back_with_its_age(tmp_path):
    shelf = Shelf(tmp_path / "cache")

    shelf.put("a/b", ENTRY, now=100.0)

    kept = shelf.get("a/b")
    assert kept is not None
    assert (kept.document, kept.age_s(160.0)) == (ENTRY, 60.0)


def test_files_and_folders_are_the_users_own(tmp_path):
    shelf = Shelf(tmp_path / "cache")

    shelf.put("a/b", ENTRY)

    [file] = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "..", ".", "a" * 5000, "näme\udcff", "a\0b"])
def test_no_name_leaves_the_folder(tmp_path, name):
    shelf = Shelf(tmp_path / "inner" / "cache")

    shelf.put(name, ENTRY)

    outside = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != shelf.folder]
    assert outside == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"document": 5, "fetched_at": 1}', '{"document": {}}'])
def test_a_file_that_cannot_be_read_is_as_good_as_none(tmp_path, content):
    shelf = Shelf(tmp_path)
    shelf.put("a/b", ENTRY)
    [file] = tmp_path.iterdir()

    file.write_text(content)

    assert shelf.get("a/b") is None


def test_a_folder_that_cannot_be_made_is_no_trouble(tmp_path):
    (tmp_path / "cache").write_text("a file is in the way")
    shelf = Shelf(tmp_path / "cache" / "deeper")

    shelf.put("a/b", ENTRY)

    assert shelf.get("a/b") is None


def test_each_service_has_a_folder_of_its_own(tmp_path):
    at = {"XDG_CACHE_HOME": str(tmp_path), "HOME": "/nowhere"}
    real, other = shelf_of("https://model-api.runcomfy.net", at), shelf_of("http://127.0.0.1:8000", at)

    real.put("a/b", ENTRY)

    assert other.get("a/b") is None
    assert str(real.folder).startswith(str(tmp_path))
    assert shelf_of("x", {"HOME": "/home/me"}).folder is not None
    assert json.loads(next(real.folder.iterdir()).read_text())["name"] == "a/b"
