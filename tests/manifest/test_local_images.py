"""Local images in a manifest: found beside it, known by their bytes; and what is wrong with them."""

from __future__ import annotations

import hashlib
import io
import json
import os

import pytest

from batchrunner.manifest import NamedManifest, read_jobs
from batchrunner.models import Schemas
from batchrunner.staging import LocalImages
from tests.pictures import BLUE, JPEG, a_picture, png

from .conftest import MODEL

RED_PNG = f"stage:sha256:{hashlib.sha256(png()).hexdigest()}.png"


def staged() -> LocalImages:
    return LocalImages(may_stage=True)


def rows(*every: dict[str, object]) -> str:
    return "".join(json.dumps({"text": "a fox", **row}) + "\n" for row in every)


def images(result) -> list[list[str]]:
    assert result.said == []
    return [job.inputs["images"] for job in result.jobs]


@pytest.mark.parametrize("written", ["refs/cat.png", "./refs/cat.png", "refs/../refs/cat.png"])
def test_a_path_is_relative_to_the_manifest_and_becomes_the_hash_of_the_bytes(read, tmp_path, written):
    a_picture(tmp_path / "refs/cat.png")

    assert images(read(rows({"images": [written]}), "m.jsonl", images=staged())) == [[RED_PNG]]


def test_every_format_and_place_of_a_manifest_takes_paths(read, tmp_path):
    a_picture(tmp_path / "cat.png")
    yaml = "jobs:\n- {text: a fox, images: [cat.png, https://a.example/x.png]}\n"
    defaults = "defaults: {images: [cat.png]}\njobs:\n- {text: a fox}\n"
    matrix = "matrix: {images: [[cat.png]]}\njobs:\n- {text: a fox}\n"
    csv = "text,images\na fox,cat.png|https://a.example/x.png\n"

    both = [[RED_PNG, "https://a.example/x.png"]]
    assert images(read(yaml, images=staged())) == both
    assert images(read(csv, "m.csv", images=staged())) == both
    assert images(read(defaults, images=staged())) == [[RED_PNG]]
    assert images(read(matrix, images=staged())) == [[RED_PNG]]


def test_a_file_of_rows_names_its_pictures_from_its_own_folder_and_a_template_from_the_manifests(
    read, tmp_path
):
    a_picture(tmp_path / "rows/cat.png")
    a_picture(tmp_path / "refs/cat.png")
    (tmp_path / "rows/own.csv").write_text("text,images\na fox,cat.png\n")
    (tmp_path / "rows/filled.csv").write_text("text,who\na fox,cat\n")

    own = read("jobs: rows/own.csv\n", images=staged())
    filled = read("defaults: {images: ['refs/{who}.png']}\njobs: rows/filled.csv\n", images=staged())

    assert images(own) == images(filled) == [[RED_PNG]]


def test_on_standard_input_a_path_starts_in_the_current_folder(tmp_path, monkeypatch):
    a_picture(tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    stdin = io.BytesIO(rows({"images": ["cat.png"]}).encode())

    (job,) = read_jobs(
        "-", input_format="jsonl", model=MODEL, schemas=Schemas(), images=staged(), stdin=stdin
    )

    assert job.inputs["images"] == [RED_PNG]


def test_the_same_bytes_are_the_same_job_under_any_name_and_other_bytes_another(read, tmp_path):
    a_picture(tmp_path / "a.png")
    a_picture(tmp_path / "b.png")
    a_picture(tmp_path / "c.png", png(BLUE))

    result = read(rows(*({"images": [name]} for name in ("a.png", "b.png", "c.png"))), "m.jsonl",
                  images=staged())  # fmt: skip

    first, second, third = (job.id for job in result.jobs)
    assert first == second != third


def test_the_kind_is_what_the_bytes_say_not_the_name(read, tmp_path):
    a_picture(tmp_path / "cat.png", JPEG)

    [[reference]] = images(read(rows({"images": ["cat.png"]}), "m.jsonl", images=staged()))

    assert reference.endswith(".jpg")


def test_what_is_wrong_with_files_is_said_in_one_pass_each_at_its_row(read, tmp_path):
    a_picture(tmp_path / "cat.png")
    a_picture(tmp_path / "cut.png", png()[:-20])
    a_picture(tmp_path / "page.png", b"<!DOCTYPE html><p>not found")
    a_picture(tmp_path / "empty.png", b"")
    (tmp_path / "folder.png").mkdir()
    names = [
        "cat.png",
        "cut.png",
        "page.png",
        "empty.png",
        "folder.png",
        "none.png",
        "nul\0.png",
    ]

    result = read(rows(*({"id": f"j{n}", "images": [name]} for n, name in enumerate(names))), "m.jsonl",
                  images=staged())  # fmt: skip

    assert [job.id for job in result.jobs] == ["j0"]
    assert [(p.id, p.place.line, p.field) for p in result.problems] == [
        (f"j{n}", n + 1, "images[0]") for n in range(1, 7)
    ]
    for problem, word in zip(
        result.problems,
        ["goes on to byte", "web page", "it is empty", "a folder", "no such file", "no name"],
        strict=True,
    ):
        assert word in problem.message


def test_a_file_that_is_too_large_is_refused_unread(read, tmp_path):
    with a_picture(tmp_path / "huge.png").open("r+b") as file:
        file.truncate(50_000_001)

    assert "at most 50 MB" in read(rows({"images": ["huge.png"]}), "m.jsonl", images=staged()).said[0]


def test_a_pipe_in_the_place_of_a_picture_is_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")

    said = read(rows({"images": ["pipe.png"]}), "m.jsonl", images=staged()).said

    assert "no ordinary file" in said[0]


def test_without_a_stage_every_row_hears_what_to_do(read, tmp_path):
    a_picture(tmp_path / "cat.png")

    said = read(rows({"id": "a", "images": ["cat.png"]}, {"id": "b", "images": ["cat.png"]}), "m.jsonl").said

    assert said == [
        f"m.jsonl:{line}: job '{job}' images[0]: \"cat.png\" is a local file, which the service cannot fetch "
        "(name a place for it with --stage s3://BUCKET/PREFIX, or give a public https:// address)"
        for line, job in ((1, "a"), (2, "b"))
    ]


def test_a_wrong_default_is_said_once(read):
    manifest = "defaults: {images: [none.png]}\njobs:\n- {text: a}\n- {text: b}\n"

    said = read(manifest, images=staged()).said

    assert len(said) == 1
    assert said[0].startswith("m.yaml:1: images[0]: ")


def test_the_other_rules_of_the_model_still_count(read, tmp_path):
    a_picture(tmp_path / "cat.png")
    five = {"images": ["cat.png", "none.png", *["https://a.example/x.png"] * 3], "seed": 1.5}

    fields = [problem.field for problem in read(rows(five), "m.jsonl", images=staged()).problems]

    assert sorted(fields) == ["images", "images[1]", "seed"]


@pytest.mark.parametrize(
    "written", ["file:///home/me/fox.png", "data:image/png;base64,AAAA", RED_PNG, "ftp://a.example/x.png", ""]
)
def test_what_is_an_address_is_judged_as_one(read, written):
    result = read(rows({"images": [written]}), "m.jsonl", images=staged())

    assert result.problems
    assert "no such file" not in result.said[0]


# ── an unchanged manifest ──


@pytest.fixture
def named(tmp_path, monkeypatch):
    """A manifest with a picture that was there long before it is read."""
    a_picture(tmp_path / "cat.png")
    (tmp_path / "m.jsonl").write_text(rows({"images": ["cat.png"]}))
    monkeypatch.setattr("batchrunner.staging.local_images.RACY_S", -60.0)

    def name() -> NamedManifest:
        return NamedManifest(source=str(tmp_path / "m.jsonl"), model=MODEL, may_stage=True)

    return name


def record(manifest: NamedManifest) -> str | None:
    list(manifest.rows())
    return manifest.record()


def test_a_manifest_whose_pictures_are_as_they_were_need_not_be_read(named):
    assert named().is_as(record(named()))


def test_a_picture_that_changed_makes_another_manifest_although_length_and_time_are_as_before(
    named, tmp_path
):
    before = record(named())
    path = tmp_path / "cat.png"
    status = path.stat()
    path.write_bytes(png(BLUE))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert path.stat().st_size == status.st_size
    assert not named().is_as(before)


def test_a_picture_that_is_gone_makes_another_manifest(named, tmp_path):
    before = record(named())
    (tmp_path / "cat.png").unlink()

    assert not named().is_as(before)


def test_of_a_picture_that_changed_a_moment_ago_nothing_is_recorded(named, monkeypatch):
    monkeypatch.setattr("batchrunner.staging.local_images.RACY_S", 60.0)

    assert record(named()) is None
