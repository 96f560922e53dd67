"""`--name`: files called as the user wants, with everything else working as before."""

from __future__ import annotations

import json

from tests.outputs.loading import load

from .fake_service import film_of


def test_files_have_the_names_that_were_asked_for_and_keep_them(batch, fake):
    batch.write({"id": "fox", "text": "fox", "seed": 7}, {"id": "owl", "text": "owl", "meta": {"shot": 1}})

    first = batch.run("--name", "{model}/{seed}-{id}", "--only", "fox")
    again = batch.run()
    other = batch.run("--name", "{id}-x")
    verified = batch.call("verify", batch.folder, "--json")

    folder = "videos/bytedance_seedance-1-0_lite_reference-to-video"
    files = {name: line["outputs"][0]["file"] for name, line in batch.results().items()}
    assert (first.code, again.code, other.code) == (0, 0, 73)
    assert files == {"fox": f"{folder}/7-fox.mp4", "owl": f"{folder}/none-owl.mp4"}
    assert (batch.folder / files["owl"]).read_bytes() == film_of("owl")
    assert verified.json == {"files": 2, "flaws": [], "strays": [], "stored": 0, "stored_flaws": []}
    assert fake.posts() == 2
    (loaded,) = load(batch.home, batch.folder)
    assert [row["id"] for row in loaded["rows"]] == ["fox", "owl"]


def test_a_redone_film_moves_out_of_the_way_and_its_name_stays(batch):
    batch.write({"id": "fox", "text": "fox", "seed": 7})
    batch.run("--name", "a/{seed}")

    batch.run("--redo", "fox")

    assert batch.results()["fox"]["outputs"][0]["file"] == "videos/a/7.mp4"
    assert (batch.folder / "superseded/videos/a/7.g1.mp4").is_file()


def test_a_field_nobody_has_is_a_usage_error_and_nothing_is_sent_or_left(batch, fake):
    batch.write({"id": "fox", "text": "fox", "seed": 7})

    outcome = batch.run("--name", "{sed}-{id}")
    planned = batch.call("plan", batch.manifest, "-o", batch.folder, "--name", "{id", "--base-url", fake.url)

    assert (outcome.code, planned.code) == (2, 2)
    assert "did you mean {seed}?" in outcome.err
    assert fake.posts() == 0
    assert not batch.folder.exists()


def test_a_large_manifest_is_spread_over_folders_that_everything_finds(batch):
    rows = [{"id": f"job-{n}", "text": "fox"} for n in range(10_001)]
    batch.manifest.write_text("".join(json.dumps({**row, **COMMON}) + "\n" for row in rows))

    outcome = batch.run("--limit", 2, "--concurrency", 2)

    files = [line["outputs"][0]["file"] for line in batch.results().values() if line["outputs"]]
    assert outcome.code == 0
    assert [file.count("/") for file in files] == [2, 2]
    assert all((batch.folder / file).read_bytes() == film_of("fox") for file in files)


COMMON = {
    "model": "bytedance/seedance-1-0/lite/reference-to-video",
    "images": ["https://images.example.com/fox.png"],
}
