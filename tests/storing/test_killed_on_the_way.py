"""SIGKILL when an upload is done and nobody knows: nothing is paid, put there or lost twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.cli.fake_service import film_of
from tests.pictures import a_picture
from tests.storing.deadly import DeadlyWay, deadly_way


@pytest.fixture
def way(bucket, s3, monkeypatch) -> Iterator[DeadlyWay]:
    with deadly_way(s3) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        yield way


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_between_upload_and_record_nothing_is_paid_put_or_lost_twice(batch, fake, here, bucket, way, method):
    batch.write("fox")
    run = batch.start_run("--store", bucket.url, "--drop-local")
    way.kills(run.pid, method, "/videos/fox.mp4")
    run.wait(30)
    local = here.folder / "videos/fox.mp4"
    was_there = local.exists()

    again = here.run()

    assert run.returncode == -signal.SIGKILL
    assert was_there
    assert (again.code, fake.posts(), len(fake.calls("film"))) == (0, 1, 1)
    assert way.count("PUT", "/videos/fox.mp4") == 1
    assert bucket.content("videos/fox.mp4") == film_of("fox")
    assert not local.exists()


def test_between_an_images_upload_and_the_submission_nothing_is_sent_or_put_twice(
    batch, fake, here, bucket, way
):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "fox", "text": "fox", "images": ["cat.png"]})
    run = batch.start_run("--stage", bucket.url)
    way.kills(run.pid, "PUT", ".png")
    run.wait(30)
    before = fake.posts()

    again = here.run()

    assert run.returncode == -signal.SIGKILL
    assert (before, again.code, fake.posts(), way.count("PUT", ".png")) == (0, 0, 1, 1)
