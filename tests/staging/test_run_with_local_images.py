"""Local images on their way to the service: staged once, sent as presigned addresses, kept as hashes."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.acts import status
from tests.pictures import BLUE, a_picture, png
from tests.staging.bucket import SECRET

HASH = hashlib.sha256(png()).hexdigest()
REFERENCE = f"stage:sha256:{HASH}.png"


def sent_images(fake) -> list[list[str]]:
    return [seen.body["images"] for seen in fake.seen if seen.endpoint == "submit"]


def everything_written(folder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_image_goes_up_once_and_is_sent_as_an_address_that_anybody_can_fetch(batch, fake, here, bucket):
    a_picture(batch.home / "refs/cat.png")
    a_picture(batch.home / "copy.png")
    a_picture(batch.home / "unnamed.png", png(BLUE))
    batch.write(
        {"id": "a", "text": "a", "images": ["refs/cat.png", "https://images.example.com/x.png"]},
        {"id": "b", "text": "b", "images": ["copy.png"]},
    )

    run = here.run("--stage", f"{bucket.url}/refs/")

    assert run.code == 0, run.err
    assert bucket.names() == [f"refs/{HASH}.png"]
    [a, b] = sorted(sent_images(fake), key=len, reverse=True)
    assert a[1] == "https://images.example.com/x.png"
    for address in (a[0], b[0]):
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == png()
            assert answer.headers["Content-Type"] == "image/png"
        assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["604800"]


def test_what_is_written_down_is_the_hash_and_the_path_never_an_address_or_a_key(batch, fake, here, bucket):
    a_picture(batch.home / "refs/cat.png")
    batch.write({"id": "a", "text": "a", "images": ["refs/cat.png"]})

    here.run("--stage", bucket.url)

    line = batch.results()["a"]
    assert line["inputs"]["images"] == [REFERENCE]
    assert line["local_files"] == {REFERENCE: "refs/cat.png"}
    assert here("results", here.folder, "--json").lines == [line]
    written = everything_written(here.folder)
    assert b"Signature" not in written
    assert SECRET.encode() not in written
    events = [json.loads(line) for line in (here.folder / "run.log").read_text().splitlines()]
    assert [e["image"] for e in events if e["event"] == "staged"] == [REFERENCE]


def test_a_refusal_that_quotes_the_address_is_written_down_without_its_signature(batch, fake, here, bucket):
    def refuse(exchange) -> None:
        address = exchange.seen.body["images"][0]
        exchange.reply(422, {"error_message": f"cannot fetch {address} at all"})

    fake.script("submit", refuse)
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})

    here.run("--stage", bucket.url)

    message = batch.results()["a"]["error"]["message"]
    assert f"/{HASH}.png?(signed) at all" in message
    assert b"Signature" not in everything_written(here.folder)


def test_an_unchanged_batch_uploads_and_pays_nothing_again_and_need_not_name_the_stage(
    batch, fake, here, bucket
):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url)

    again = here.run()

    assert (again.code, fake.posts()) == (0, 1)


def test_another_picture_under_the_same_name_is_an_edited_row(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url)
    a_picture(batch.home / "cat.png", png(BLUE))

    planned = here.plan("--json").json
    run = here.run()

    assert planned["reasons"] == {"edited": 1}
    assert (run.code, fake.posts(), len(bucket.names())) == (0, 2, 2)


def test_a_picture_that_moved_is_no_edit(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url)
    (batch.home / "cat.png").rename(batch.home / "moved.png")
    batch.write({"id": "a", "text": "a", "images": ["moved.png"]})

    run = here.run()

    assert (run.code, fake.posts()) == (0, 1)


def test_resume_without_the_manifest_finds_the_files_and_the_stage(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    a_picture(batch.home / "dog.png", png(BLUE))
    batch.write(
        {"id": "a", "text": "a", "images": ["cat.png"]}, {"id": "b", "text": "b", "images": ["dog.png"]}
    )
    here.run("--stage", bucket.url, "--limit", "1")
    batch.manifest.unlink()

    resumed = here("resume", here.folder, "--base-url", fake.url, "--poll-interval", "0.05")

    assert (resumed.code, fake.posts(), len(bucket.names())) == (0, 2, 2)


def test_a_retry_is_sent_with_an_address_of_its_own(batch, fake, here, bucket):
    fake.script("status", status("failed"))
    fake.script("result", status("failed", error="it did not work out"))
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})

    here.run("--stage", bucket.url)

    assert len(sent_images(fake)) == 2
    assert all("X-Amz-Signature" in address for [address] in sent_images(fake))


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_looking_ahead_uploads_nothing(batch, fake, here, bucket, command):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})

    if command == "plan":
        outcome = here.plan("--stage", bucket.url)
    else:
        outcome = here("validate", batch.manifest, "--stage", bucket.url, "--base-url", fake.url)

    assert (outcome.code, bucket.names()) == (0, [])


def test_without_a_stage_nothing_is_sent_and_the_row_is_named(batch, fake, here):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})

    run, checked = here.run(), here("validate", batch.manifest, "--base-url", fake.url, "--json")

    assert (run.code, checked.code, fake.posts()) == (65, 65, 0)
    assert "--stage s3://BUCKET/PREFIX" in run.err
    assert [(e["id"], e["field"]) for e in checked.json["errors"]] == [("a", "images[0]")]
    assert not here.folder.exists()


def test_a_bucket_that_is_not_there_stops_the_submitting_and_fails_no_job(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})

    run = here.run("--stage", "s3://nobody-made-this")

    assert (run.code, fake.posts(), batch.states) == (74, 0, {"pending": 1})
    assert "NoSuchBucket" in run.err


def test_a_picture_that_changes_between_reading_and_sending_is_not_sent(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url, "--limit", "0")
    a_picture(batch.home / "cat.png", png(BLUE))

    resumed = here("resume", here.folder, "--base-url", fake.url)

    assert (resumed.code, fake.posts(), bucket.names()) == (65, 0, [])
    assert "not the image it was" in resumed.err


@pytest.mark.parametrize(
    "place", ["bucket/prefix", "https://a.example/b", "file:///srv/x", "s3://", "s3://key:letmein@bucket/x"]
)
def test_a_stage_that_is_none_is_a_mistake_of_usage(batch, fake, here, place):
    batch.write("a")

    run = here.run("--stage", place)

    assert (run.code, fake.posts()) == (2, 0)
    assert "letmein" not in run.err


def test_the_lines_of_results_are_a_manifest_again_wherever_they_are_put(batch, fake, here, bucket, tmp_path):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url)
    elsewhere = tmp_path / "elsewhere" / "again.jsonl"
    elsewhere.parent.mkdir()
    elsewhere.write_text(here("results", here.folder, "--as-manifest").out)

    checked = here("validate", elsewhere, "--stage", bucket.url, "--base-url", fake.url)

    assert checked.code == 0, checked.err


def test_without_a_token_a_remembered_stage_is_no_problem_of_the_rows(batch, fake, here, bucket, monkeypatch):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]})
    here.run("--stage", bucket.url)
    batch.write({"id": "a", "text": "a", "images": ["cat.png"]}, {"id": "b", "text": "b", "images": []})
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")

    run = here.run()

    assert run.code == 77
    assert "--stage" not in run.err
