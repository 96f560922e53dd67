"""``init``: what it writes passes ``validate``, says what inputs take, and never takes a file's place."""

from __future__ import annotations

import json

import pytest

from tests.pictures import a_picture

MODELS = (
    "bytedance/seedance-1-0/lite/reference-to-video",
    "bytedance/seedance-2.5/image-to-video/720p",
    "google/nano-banana-2/text-to-image",
    "blackforestlabs/flux-2/flash/text-to-image",
    "bytedance/seedream-4-5/edit",
)


@pytest.mark.parametrize("model", MODELS)
def test_what_it_writes_for_a_model_passes_validate(here, tmp_path, model):
    target = tmp_path / "new.yaml"

    written = here("init", model, "-o", target, "--simulate")
    checked = here("validate", target, "--simulate", "--json")

    assert (written.code, checked.code) == (0, 0)
    assert checked.json == {"jobs": 1, "errors": []}


def test_every_input_stands_there_with_what_it_takes_and_its_default(here, tmp_path):
    target = tmp_path / "new.yaml"

    here("init", "-o", target)

    text = target.read_text()
    assert "at most 500 characters" in text
    assert "2 to 12; default 5" in text
    assert all(name in text for name in ("text", "images", "resolution", "ratio", "duration", "seed"))


def test_a_file_is_never_written_over(here, tmp_path):
    target = tmp_path / "new.yaml"
    target.write_text("mine")

    outcome = here("init", "-o", target)

    assert outcome.code == 2
    assert target.read_text() == "mine"


TABLE = 'name,id,prompt,image,duration\nFox,a,"A ""red"" fox: #1",https://e.com/a.png,7\n,b,é\t,https://e.com/b.png,\n'


def test_columns_of_a_table_become_the_models_inputs_and_the_rest_notes(here, tmp_path):
    table, target = tmp_path / "t.csv", tmp_path / "t.yaml"
    table.write_text(TABLE)

    outcome = here("init", "--from", table, "-o", target)
    plan = here(
        "run", target, "-o", tmp_path / "out", "--simulate", "--poll-interval", "0.05", "--progress", "none"
    )

    lines = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    assert (outcome.code, plan.code) == (0, 0)
    assert "prompt -> text" in outcome.err
    assert [(line["id"], line["inputs"], line["meta"]) for line in lines] == [
        ("a", {"text": 'A "red" fox: #1', "images": ["https://e.com/a.png"], "duration": 7}, {"name": "Fox"}),
        ("b", {"text": "é\t", "images": ["https://e.com/b.png"]}, {}),
    ]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("prompt\nfox\n", "images"),
        ("prompt,image,duration\nfox,https://e.com/a.png,99\n", "duration"),
        ("prompt,image\nfox,file.png\n", "images"),
        ("", "no rows"),
        ("prompt,image\n", "no rows"),
    ],
)
def test_a_table_that_makes_no_valid_manifest_writes_nothing(here, tmp_path, content, named):
    table, target = tmp_path / "t.csv", tmp_path / "t.yaml"
    table.write_text(content)

    outcome = here("init", "--from", table, "-o", target)

    assert outcome.code == 65
    assert named in outcome.err
    assert not target.exists()


def test_a_table_of_local_images_becomes_paths_from_the_manifests_own_folder(here, tmp_path):
    a_picture(tmp_path / "tables/refs/a fox.png")
    table = tmp_path / "tables/jobs.csv"
    table.write_text("id,prompt,image\na,a fox,refs/a fox.png\n")
    target = tmp_path / "manifests/new.yaml"
    target.parent.mkdir()

    written = here("init", "--from", table, "-o", target)
    checked = here("validate", target, "--stage", "s3://films/refs")

    assert (written.code, checked.code) == (0, 0), written.err + checked.err
    assert "../tables/refs/a fox.png" in target.read_text()
