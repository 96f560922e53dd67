"""The same against OpenStack Swift, which checks each signature: pictures and films, fetched by anybody.

Run by ``make swift``: it takes longer to start than all it shows.
"""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import anyio
import boto3
import pytest
from botocore.config import Config

from batchrunner.objects import Bucket, Found, parse_place
from tests.cli.fake_service import film_of
from tests.pictures import a_picture, png
from tests.staging.bucket import TestBucket
from tests.storing.swift import ACCESS_KEY, IS_HERE, SECRET_KEY, swift

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (IS_HERE and os.environ.get("WITH_SWIFT")), reason="make swift runs it"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with swift(tmp_path_factory.mktemp("swift")) as url:
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1", config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip
        client.create_bucket(Bucket="films")
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> TestBucket:
    bucket = TestBucket(server=server, name="films", access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    for key, value in bucket.environment.items():
        monkeypatch.setenv(key, value)
    return bucket


def test_a_batch_sends_local_images_and_leaves_its_films_there(batch, fake, here, bucket):
    a_picture(batch.home / "cat.png")
    batch.write({"id": "füchsin 1", "text": "fox", "images": ["cat.png"]})
    places = ("--stage", f"{bucket.url}/refs", "--store", f"{bucket.url}/batch 7", "--drop-local")

    run = here.run(*places)
    again = here.run()

    assert (run.code, again.code, fake.posts()) == (0, 0, 1), run.err
    digest = hashlib.sha256(png()).hexdigest()
    assert f"refs/{digest}.png" in bucket.names()
    [address] = fake.calls("submit")[0].body["images"]
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == png()
    [line] = here("results", here.folder, "--json", "--presign", "1h").lines
    with urllib.request.urlopen(line["outputs"][0]["presigned"]) as answer:
        assert answer.read() == film_of("fox")
    assert here("verify", here.folder).code == 0


def test_a_large_film_goes_up_in_parts_and_its_metadata_come_back(bucket, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(20 << 20))
    digest = hashlib.sha256(film.read_bytes()).hexdigest()

    async def there_and_back() -> tuple[Found | None, str | None, str]:
        place = Bucket(parse_place(f"{bucket.url}/large", "--store"))
        await place.put("videos/ü #1.mp4", film, sha256=digest)
        found = await place.look("videos/ü #1.mp4")
        address = await place.sign("videos/ü #1.mp4", timedelta(days=7))
        return found, await place.hash_of("videos/ü #1.mp4"), address

    found, read_back, address = anyio.run(there_and_back)

    assert found == Found(size_bytes=20 << 20, sha256=digest)
    assert read_back == digest
    with urllib.request.urlopen(address) as answer:
        assert hashlib.sha256(answer.read()).hexdigest() == digest
