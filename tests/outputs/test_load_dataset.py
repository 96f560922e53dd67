"""`datasets.load_dataset(DIR)`, the real library, gives every film with its inputs in one split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.builders import MODEL, a_job, some_jobs

from .loading import fill, film_of, load

SPLIT_LIKE = ["test-1", "train_2", "validation", "test", "eval", "dev.3", "train/x", "fox"]
STRANGE = [
    "ein Fuchs",
    "狐と犬",
    'it\'s "quoted"',
    "#1",
    "a[0]",
    "{x}",
    "a*b?",
    "café",
    "x" * 200,
    "100%",
    "-rf",
]
OTHER_MODEL = "somebody/else"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("folders"))


@pytest.fixture(scope="module")
def loaded(home) -> dict[str, dict[str, Any]]:
    """All folders of this module, opened by one process."""
    ids = [*SPLIT_LIKE, *STRANGE]
    fill(home / "ids", [a_job(one, row=n) for n, one in enumerate(ids, start=2)], outputs=2)
    fill_mixed(home / "mixed")
    fill(
        home / "kinds",
        some_jobs(5),
        kinds={"job-00": "image", "job-01": "image", "job-02": "image", "job-03": "video", "job-04": "audio"},
    )
    fill(home / "pictures", some_jobs(2), kinds={"job-00": "image", "job-01": "image"})
    fill(home / "suffixes", [a_job(f"cat-{n}.json", row=n + 2) for n in range(3)])
    fill(home / "pictures of films", [a_job(f"cat-{n}.png", row=n + 2) for n in range(3)])
    fill(home / "late", late_jobs(), open_=1)
    put_beside(home / "ids")
    names = ["ids", "mixed", "kinds", "pictures", "suffixes", "pictures of films", "late"]
    return dict(zip(names, load(home, *(home / name for name in names)), strict=True))


def fill_mixed(folder: Path) -> None:
    """Two models with other inputs, notes of every shape, and names that mean something to the library."""
    lite = a_job(
        "lite", seed=2**53 + 1, images=["https://a.example/1.png"], meta={"shot": {"scene": 1}, "n": 1}
    )
    other = a_job("other", row=3, model=OTHER_MODEL, strength=0.5, seed=2**62, video="https://a.example/v.mp4",
                  mask_file_name="https://a.example/m.png", loop=True,
                  meta={"shot": [1, "two"], "file_name": "note"})  # fmt: skip
    other.inputs["id"] = "theirs"
    bare = a_job("bare", row=4, model=OTHER_MODEL, strength=1, loop=False, meta={"n": 1.5})
    fill(folder, [lite, other, bare])


def late_jobs() -> list[Any]:
    """Rows of which only the last ones, beyond the library's first chunk (10 MB), have a third input."""
    long = [a_job(f"long-{n}", row=n + 2, text=f"{n} " + "word " * 60_000, seed=n) for n in range(40)]
    return [*long, a_job("last", row=99, camera_fixed=True), a_job("open", row=100)]


def put_beside(folder: Path) -> None:
    """What else a run leaves in its folder."""
    for name in ("superseded/videos/fox.g1.mp4", ".partial/1.1.1.part", "videos/stray.mp4", "report.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"beside")
    (folder / "results.jsonl").write_text("{}\n")


def film(row: dict[str, Any], column: str = "video") -> bytes:
    return Path(row[column]["path"]).read_bytes()


def test_every_film_is_there_in_one_split_whatever_the_ids_look_like(loaded):
    ids = loaded["ids"]

    assert ids["splits"] == ["train"]
    assert [row["id"] for row in ids["rows"]] == [one for one in [*SPLIT_LIKE, *STRANGE] for _ in (1, 2)]
    for number, row in enumerate(ids["rows"]):
        assert (row["text"], row["model"]) == (row["id"], MODEL)
        assert film(row) == film_of(row["id"], number % 2 + 1)


def test_models_with_other_inputs_share_a_table_with_nulls(loaded):
    lite, other, bare = loaded["mixed"]["rows"]

    assert (lite["seed"], other["seed"], bare["seed"]) == (2**53 + 1, 2**62, None)
    assert (lite["strength"], other["strength"], bare["strength"]) == (None, 0.5, 1.0)
    assert (lite["images"], other["images"]) == (["https://a.example/1.png"], None)
    assert (lite["loop"], other["loop"], bare["loop"]) == (None, True, False)
    assert [film(row) for row in (lite, other, bare)] == [
        film_of(row["id"], 1) for row in (lite, other, bare)
    ]


def test_names_that_mean_something_to_the_library_stay_what_they_are(loaded):
    other = loaded["mixed"]["rows"][1]

    assert other["id"] == "other"
    assert other["input.id"] == "theirs"
    assert other["input.video"] == "https://a.example/v.mp4"
    assert other["mask_file_name"] == "https://a.example/m.png"
    assert other["meta.file_name"] == "note"


def test_notes_without_one_type_are_json_text(loaded):
    lite, other, bare = loaded["mixed"]["rows"]

    assert (lite["meta.shot"], other["meta.shot"]) == ('{"scene": 1}', '[1, "two"]')
    assert (lite["meta.n"], other["meta.n"], bare["meta.n"]) == (1.0, None, 1.5)


def test_pictures_and_sounds_among_films_come_in_the_same_split(loaded):
    kinds = loaded["kinds"]

    assert kinds["splits"] == ["train"]
    assert [film(row) for row in kinds["rows"]] == [film_of(f"job-0{n}", 1) for n in range(5)]


def test_a_folder_of_pictures_is_a_data_set_of_pictures(loaded):
    pictures = loaded["pictures"]

    assert pictures["types"]["image"].startswith("Image")
    assert [film(row, "image") for row in pictures["rows"]] == [film_of(f"job-0{n}", 1) for n in range(2)]


@pytest.mark.parametrize(("name", "end"), [("suffixes", "json"), ("pictures of films", "png")])
def test_ids_that_end_like_another_kind_of_file_are_films_all_the_same(loaded, name, end):
    found = loaded[name]

    assert found["types"]["video"].startswith("Video")
    assert [row["id"] for row in found["rows"]] == [f"cat-{n}.{end}" for n in range(3)]
    assert [film(row) for row in found["rows"]] == [film_of(f"cat-{n}.{end}", 1) for n in range(3)]


def test_an_input_that_only_late_rows_have_is_a_column_and_open_jobs_are_none(loaded):
    rows = loaded["late"]["rows"]

    assert len(rows) == 41
    assert [row["camera_fixed"] for row in rows] == [None] * 40 + [True]
