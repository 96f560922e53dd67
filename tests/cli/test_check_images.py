"""``--check-images`` on the command line: a bad image is a problem of its row, and nothing is sent."""

from __future__ import annotations

NOBODY = "https://127.0.0.1:9/a.png"


def test_a_run_with_an_image_that_cannot_be_fetched_sends_nothing(batch, fake, here):
    batch.write(
        {"id": "fox", "text": "fox", "images": [NOBODY]}, {"id": "owl", "text": "owl", "images": [NOBODY]}
    )

    run = here.run("--check-images")
    checked = here("validate", batch.manifest, "--check-images", "--base-url", fake.url, "--json")

    errors = checked.json["errors"]
    assert (run.code, checked.code, fake.posts()) == (65, 65, 0)
    assert not here.folder.exists()
    assert [(e["id"], e["row"], e["field"]) for e in errors] == [
        ("fox", 1, "images[0]"),
        ("owl", 2, "images[0]"),
    ]
    assert checked.json["jobs"] == 0
    assert "cannot be reached" in run.err


def test_only_images_of_jobs_to_submit_are_looked_at(batch, fake, here):
    batch.write({"id": "fox", "text": "fox", "images": [NOBODY]})
    here.run()

    assert here.run("--check-images").code == 0
