"""Films that go to a store: proved to be there, recorded, found again; and what is said when they cannot."""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from datetime import timedelta

import pytest

from batchrunner.objects import Bucket, Place, StoreTrouble
from tests.cli.acts import status
from tests.cli.fake_service import film_of
from tests.staging.bucket import SECRET
from tests.storing.deadly import deadly_way


@pytest.fixture
def shelf(tmp_path):
    """A folder that is used like a store."""
    return tmp_path / "archive"


def films(bucket) -> list[str]:
    return [name for name in bucket.names() if not name.endswith(".batchrunner")]


def local_films(here) -> list[str]:
    return sorted(path.name for path in (here.folder / "videos").glob("*"))


def test_films_are_put_there_and_stay_here(batch, fake, here, bucket):
    batch.write("fox", "owl")

    run = here.run("--store", f"{bucket.url}/batch 7")

    assert run.code == 0, run.err
    assert films(bucket) == ["batch 7/videos/fox.mp4", "batch 7/videos/owl.mp4"]
    assert bucket.content("batch 7/videos/fox.mp4") == film_of("fox")
    assert local_films(here) == ["fox.mp4", "owl.mp4"]
    [output] = batch.results()["fox"]["outputs"]
    assert output["store"] == f"{bucket.url}/batch 7/videos/fox.mp4"
    assert output["file"] == "videos/fox.mp4"
    metadata = [json.loads(line) for line in (here.folder / "metadata.jsonl").read_text().splitlines()]
    assert [row["store"] for row in metadata] == [
        f"{bucket.url}/batch 7/videos/{name}.mp4" for name in ("fox", "owl")
    ]


def test_local_copies_go_when_they_are_to_and_nothing_is_fetched_or_paid_again(batch, fake, here, bucket):
    batch.write("fox", "owl")

    first = here.run("--store", bucket.url, "--drop-local")
    again = here.run()

    assert (first.code, again.code, fake.posts(), len(fake.calls("film"))) == (0, 0, 2, 2)
    assert local_films(here) == []
    [output] = batch.results()["fox"]["outputs"]
    assert (output["file"], output["store"]) == (None, f"{bucket.url}/videos/fox.mp4")
    assert (output["bytes"], output["sha256"]) == (
        len(film_of("fox")),
        hashlib.sha256(film_of("fox")).hexdigest(),
    )
    assert here("results", here.folder, "--json").lines == list(batch.results().values())
    metadata = [json.loads(line) for line in (here.folder / "metadata.jsonl").read_text().splitlines()]
    assert [(row["id"], row["store"], "file_name" in row) for row in metadata] == [
        ("fox", f"{bucket.url}/videos/fox.mp4", False),
        ("owl", f"{bucket.url}/videos/owl.mp4", False),
    ]
    assert "In the store" in (here.folder / "report.html").read_text()


def test_a_folder_may_be_the_store(batch, fake, here, shelf):
    batch.write("fox")

    run = here.run("--store", shelf.as_uri(), "--drop-local")

    assert run.code == 0, run.err
    assert (shelf / "videos/fox.mp4").read_bytes() == film_of("fox")
    assert local_films(here) == []
    assert here("verify", here.folder).code == 0


def test_what_is_missing_here_but_stored_is_not_fetched_again(batch, fake, here, bucket):
    batch.write("fox")
    here.run("--store", bucket.url)
    (here.folder / "videos/fox.mp4").unlink()

    again = here.run()

    assert (again.code, len(fake.calls("film"))) == (0, 1)
    assert batch.results()["fox"]["outputs"][0]["file"] is None


def test_a_folder_that_ran_without_a_store_is_stored_later(batch, fake, here, bucket):
    batch.write("fox", "owl")
    here.run()

    resumed = here("resume", here.folder, "--base-url", fake.url, "--store", bucket.url)

    assert (resumed.code, fake.posts()) == (0, 2)
    assert films(bucket) == ["videos/fox.mp4", "videos/owl.mp4"]


def test_an_edited_row_leaves_the_old_film_in_the_store(batch, fake, here, bucket):
    batch.write({"id": "fox", "text": "fox"})
    here.run("--store", bucket.url, "--drop-local")
    batch.write({"id": "fox", "text": "vixen"})

    here.run()

    new = hashlib.sha256(film_of("vixen")).hexdigest()[:16]
    assert films(bucket) == [f"videos/fox-{new}.mp4", "videos/fox.mp4"]
    assert bucket.content("videos/fox.mp4") == film_of("fox")
    assert bucket.content(f"videos/fox-{new}.mp4") == film_of("vixen")


def test_another_store_takes_what_comes_from_then_on(batch, fake, here, bucket, shelf):
    batch.write("fox")
    here.run("--store", bucket.url)
    batch.write("fox", "owl")

    here.run("--store", shelf.as_uri())

    stored = {name: line["outputs"][0]["store"] for name, line in batch.results().items()}
    assert stored == {
        "fox": f"{bucket.url}/videos/fox.mp4",
        "owl": f"{shelf.as_uri()}/videos/owl.mp4",
    }


def test_a_store_that_takes_nothing_is_found_out_before_anything_is_paid(batch, fake, here, bucket):
    batch.write("fox")

    run = here.run("--store", "s3://nobody-made-this")

    assert (run.code, fake.posts()) == (74, 0)
    assert "NoSuchBucket" in run.err
    assert not here.folder.exists()


def test_a_store_that_fails_later_costs_no_film_and_leaves_work_open(batch, fake, here, tmp_path, shelf):
    shelf.mkdir()
    batch.write("fox", "owl")
    fake.script("film", lambda exchange: ((shelf / "videos").write_text("in the way"), exchange.usual()))

    run = here.run("--store", shelf.as_uri())
    (shelf / "videos").unlink()
    again = here.run()

    assert (run.code, again.code, fake.posts(), len(fake.calls("film"))) == (75, 0, 2, 2)
    assert "not in the store yet" in run.err
    assert sorted(path.name for path in (shelf / "videos").iterdir()) == ["fox.mp4", "owl.mp4"]


def test_stored_films_can_be_given_addresses_that_anybody_can_fetch(batch, fake, here, bucket):
    batch.write("fox")
    here.run("--store", bucket.url, "--drop-local")

    [line] = here("results", here.folder, "--json", "--presign", "24h").lines

    with urllib.request.urlopen(line["outputs"][0]["presigned"]) as answer:
        assert answer.read() == film_of("fox")
    written = b"".join(path.read_bytes() for path in here.folder.rglob("*") if path.is_file())
    assert b"Signature" not in written
    assert SECRET.encode() not in written


def test_verify_looks_into_the_store_and_mends_from_the_copy_here_or_from_the_service(
    batch, fake, here, bucket
):
    batch.write("fox", "owl", "cat")
    here.run("--store", bucket.url)
    here.run("--drop-local")  # nothing is left to store: those that are stored stay here
    bucket.delete("videos/fox.mp4")
    (here.folder / "videos/owl.mp4").unlink()
    here.run()  # finds it gone here, and stored
    bucket.delete("videos/owl.mp4")

    found = here("verify", here.folder, "--json")
    mended = here("verify", here.folder, "--repair", "--base-url", fake.url)

    assert found.code == 1
    assert [(flaw["id"], flaw["problem"]) for flaw in found.json["stored_flaws"]] == [
        ("fox", "not in the store"),
        ("owl", "not in the store"),
    ]
    assert (mended.code, fake.posts(), len(fake.calls("film"))) == (0, 3, 4)
    assert films(bucket) == [f"videos/{name}.mp4" for name in ("cat", "fox", "owl")]
    assert here("verify", here.folder).code == 0


def test_a_damaged_local_copy_is_not_put_into_the_store(batch, fake, here, bucket):
    batch.write("fox")
    here.run()
    film = here.folder / "videos/fox.mp4"
    film.write_bytes(film.read_bytes()[:-1] + b"X")

    run = here.run("--store", bucket.url)

    assert (run.code, films(bucket)) == (75, [])
    assert "verify" in run.err


@pytest.mark.parametrize("flags", [("--drop-local",), ("--store", "file:///"), ("--store", "ftp://a/b")])
def test_what_would_leave_no_film_or_is_no_store_is_a_mistake_of_usage(batch, fake, here, flags):
    batch.write("fox")
    inside = ("--store", (here.folder / "videos").as_uri()) if flags[-1] == "file:///" else flags

    assert (here.run(*inside).code, fake.posts()) == (2, 0)


def test_a_store_that_keeps_other_bytes_than_it_was_given_costs_no_film(
    batch, fake, here, bucket, s3, monkeypatch
):
    batch.write("fox")
    with deadly_way(s3) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        way.spoils = True
        run = here.run("--store", bucket.url, "--drop-local")
        kept = (here.folder / "videos/fox.mp4").read_bytes()
        way.spoils = False
        again = here.run()
        stored = bucket.content("videos/fox.mp4")

    assert (run.code, again.code, fake.posts()) == (75, 0, 1)
    assert "other bytes" in run.err
    assert kept == stored == film_of("fox")
    assert local_films(here) == []


def test_every_output_of_a_job_is_stored(batch, fake, here, bucket):
    def two(exchange) -> None:
        links = [f"{fake.films}/out/{exchange.request.id}/{name}.mp4" for name in ("a", "b")]
        status("succeeded", output={"videos": links}, cost=0.07)(exchange)

    fake.always("result", two)
    batch.write("fox")

    run = here.run("--store", bucket.url, "--drop-local")

    assert (run.code, films(bucket)) == (0, ["videos/fox.2.mp4", "videos/fox.mp4"])
    assert local_films(here) == []
    assert (here.run().code, len(fake.calls("film"))) == (0, 2)


def test_a_missing_library_is_named_with_the_command_that_installs_it(batch, fake, here, bucket, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    batch.write("fox")

    run = here.run("--store", bucket.url)

    assert (run.code, fake.posts()) == (2, 0)
    assert "pip install 'batchrunner[store]'" in run.err


@pytest.mark.parametrize(("prefix", "name"), [("a b", "x.mp4"), ("", "ü.mp4"), ("", "a b.mp4")])
def test_on_azure_no_address_is_given_that_would_open_nothing(monkeypatch, prefix, name):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "films")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    bucket = Bucket(Place(scheme="az", bucket="films", prefix=prefix))

    with pytest.raises(StoreTrouble, match="plain names"):
        bucket.sign_at_once(name, timedelta(hours=1))


@pytest.mark.parametrize(("form", "code"), [("webdataset", 73), ("hf", 73), ("csv", 0)])
def test_an_export_that_holds_films_says_where_they_are_instead(batch, fake, here, bucket, form, code):
    batch.write("fox")
    here.run("--store", bucket.url, "--drop-local")

    export = here("export", here.folder, "--format", form, "--to", batch.home / "taken")

    assert export.code == code
    assert not code or f"{bucket.url}/videos/fox.mp4 is in the store only" in export.err


def test_a_report_has_addresses_only_where_they_are_asked_for(batch, fake, here, bucket):
    batch.write("fox")
    here.run("--store", bucket.url, "--drop-local")
    page = here.folder / "report.html"
    before = page.read_text()

    here("report", here.folder, "--presign", "1h")

    assert f"{bucket.url}/videos/fox.mp4" in before
    assert "X-Amz-Signature" not in before
    assert "X-Amz-Signature" in page.read_text()


def test_verify_says_what_it_found_here_also_when_the_store_is_away(batch, fake, here, bucket, shelf):
    batch.write("fox")
    here.run("--store", bucket.url)
    (here.folder / "videos/fox.mp4").write_bytes(b"x")
    (here.folder / "videos/stray.mp4").write_bytes(b"x")
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:9")
        elsewhere.setattr("batchrunner.objects.MAX_RETRIES", 0)

        found = here("verify", here.folder)

    assert found.code == 74
    assert "1 files checked, 1 flawed, 1 unknown" in found.err
    assert "cannot be looked into" in found.err
