"""A bucket of a real S3 server on this machine, and the command line beside it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from itertools import count

import pytest

from tests.cli.conftest import batch, fake, here  # noqa: F401 (fixtures)
from tests.staging.bucket import TestBucket, s3_server

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> TestBucket:
    """An empty bucket, and the environment in which obstore finds it."""
    name = f"bucket-{next(_NUMBERS)}"
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT")).close()
    bucket = TestBucket(server=s3, name=name)
    for key, value in bucket.environment.items():
        monkeypatch.setenv(key, value)
    return bucket
