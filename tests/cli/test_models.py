"""The catalogue on the command line: asked for, remembered, used offline; any model in a manifest."""

from __future__ import annotations

import json

import pytest

from .acts import answers

NANO = "google/nano-banana-2/text-to-image"
FLUX = "blackforestlabs/flux-2/flash/text-to-image"
SEEDREAM = "bytedance/seedream-4-5/edit"
SEED = "bytedance/seedance-1-0/lite/reference-to-video"


def schema_of(**properties):
    return {
        "type": "object",
        "required": ["prompt"],
        "properties": {"prompt": {"type": "string"}, **properties},
    }


@pytest.fixture
def known(fake):
    """The fake service, whose catalogue gives every model the same small schema."""
    fake.entry = {"input_schema": schema_of(size={"type": "string", "enum": ["S", "L"]})}
    return fake


def test_list_shows_searches_and_pages_the_catalogue(here):
    everything = here("models", "list", "--simulate", "--json").json
    found = here("models", "list", "NANO google", "--simulate", "--json").json
    category = here(
        "models", "list", "--category", "text-to-image", "--limit", 1, "--simulate", "--json"
    ).json
    words = here("models", "list", "--offset", 1, "--limit", 2, "--simulate")

    ids = [entry["model_id"] for entry in everything["models"]]
    assert everything["total"] == len(ids) == 5
    assert [entry["model_id"] for entry in found["models"]] == [NANO]
    assert (category["total"], [entry["model_id"] for entry in category["models"]]) == (2, [FLUX])
    assert ids[1] in words.out
    assert "2 more" in words.err


def test_show_names_price_and_inputs_and_schema_prints_it_as_published(here):
    shown = here("models", "show", FLUX, "--simulate")
    schema = here("models", "schema", FLUX, "--simulate").json

    assert "0.005 USD per output" in shown.out
    assert "guidance_scale" in shown.out
    assert "a number, 0 to 20; default 2.5" in shown.out
    assert schema["properties"]["guidance_scale"]["type"] == "float"


def test_a_model_the_catalogue_does_not_know_is_named_with_the_nearest(here, fake):
    fake.always("models", answers(200, {"models": [{"model_id": NANO}], "total": 1}))
    here("models", "list", "--base-url", fake.url)
    fake.always("model", answers(404, {"error_code": 400001, "error_message": "no such model"}))

    outcome = here("models", "show", "google/nano-banana-2/text-to-imag", "--base-url", fake.url)

    assert outcome.code == 65
    assert NANO in outcome.err


def test_a_schema_read_once_serves_offline(here, batch, known):
    batch.write({"id": "a", "model": "any/model", "images": None, "prompt": "fox", "size": "XL"})
    address = ("--base-url", known.url)
    first = here("validate", batch.manifest, *address)
    known.always("model", answers(503))

    offline = here("validate", batch.manifest, *address, "--json")

    assert first.code == offline.code == 65
    assert "S, L" in offline.json["errors"][0]["message"]
    assert "ago" in offline.err


def test_without_any_schema_the_message_says_why_and_what_to_give(here, batch, fake, monkeypatch):
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    batch.write({"id": "a", "model": "any/model", "prompt": "fox"})

    outcome = here("validate", batch.manifest)

    assert outcome.code == 65
    assert "no RunComfy token" in outcome.err
    assert "--schema FILE" in outcome.err


def test_a_refused_token_ends_a_run_that_needs_the_catalogue_and_leaves_no_folder(here, batch, fake):
    fake.always("model", answers(401, {"message": "who are you?"}))
    batch.write({"id": "a", "model": "any/model", "prompt": "fox"})

    outcome = here.run()

    assert outcome.code == 77
    assert not here.folder.exists()


def test_an_unknown_input_is_told_the_name_this_model_has_for_it(here, batch):
    rows = [{"id": "a", "model": SEEDREAM, "text": "fox", "image": ["https://e.com/a.png"]},
            {"id": "b", "model": NANO, "prompt": "fox", "ratio": "16:9", "resolution": "8K"}]  # fmt: skip
    batch.manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))

    errors = here("validate", batch.manifest, "--simulate", "--json").json["errors"]

    said = {(error["id"], error["field"]): error["message"] for error in errors}
    assert "`prompt`" in said["a", "text"]
    assert "`images`" in said["a", "image"]
    assert "`aspect_ratio`" in said["b", "ratio"]
    assert "1K, 2K, 4K" in said["b", "resolution"]


def test_pictures_and_films_of_many_models_are_made_in_one_run(here, batch):
    rows = [{"id": "still", "model": NANO, "prompt": "fox"},
            {"id": "pair", "model": NANO, "prompt": "fox", "num_images": 2},
            {"id": "edit", "model": SEEDREAM, "prompt": "fox", "images": ["https://e.com/a.png"]},
            {"id": "film", "model": SEED, "text": "fox", "images": ["https://e.com/a.png"]}]  # fmt: skip
    batch.manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))

    outcome = here(
        "run",
        batch.manifest,
        "-o",
        here.folder,
        "--simulate",
        "--poll-interval",
        "0.05",
        "--progress",
        "none",
    )

    made = {path.relative_to(here.folder).as_posix() for path in here.folder.glob("*s/*")}
    assert outcome.code == 0
    assert made == {"images/still.png", "images/pair.png", "images/pair.2.png", "images/edit.png",
                    "videos/film.mp4"}  # fmt: skip
    assert (here.folder / "images/still.png").read_bytes().startswith(b"\x89PNG")


def test_the_lists_pages_are_put_together(here, fake):
    pages = [[{"model_id": f"m/{n}"} for n in range(100)], [{"model_id": "m/100"}]]
    fake.script("models", *(answers(200, {"models": page, "total": 101}) for page in pages))

    found = here("models", "list", "--base-url", fake.url, "--json").json

    assert found["total"] == 101
    assert len(found["models"]) == 50


def test_a_schema_that_changed_in_the_catalogue_checks_an_unchanged_manifest_again(here, batch, known):
    batch.write({"id": "a", "model": "any/model", "images": None, "prompt": "fox", "size": "S"})
    first = here.plan("--json")
    here.run("--limit", 0)
    known.entry = {"input_schema": schema_of(size={"type": "string", "enum": ["M", "L"]})}

    outcome = here.plan()

    assert first.code == 0
    assert outcome.code == 65
    assert "M, L" in outcome.err
