"""moto's S3 server, and what a test wants to know of a bucket in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import obstore
from obstore.store import ObjectStore, from_url

SECRET = "secret-of-the-bucket-5f1e"


@contextmanager
def s3_server() -> Iterator[str]:
    """S3 on a port of its own for as long as the block lasts; gives its address."""
    from moto.server import ThreadedMotoServer  # a second of CPU, which others need not spend

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestBucket:
    """One bucket."""

    __test__ = False

    server: str
    name: str
    access_key: str = "AKIATEST"
    secret_key: str = SECRET

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    @property
    def environment(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {
            "AWS_ENDPOINT_URL": self.server,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }

    def names(self) -> list[str]:
        """The names of all objects in it."""
        return sorted(each["path"] for each in obstore.list(self._store).collect())

    def content(self, name: str) -> bytes:
        return bytes(obstore.get(self._store, name).bytes())

    def delete(self, name: str) -> None:
        """Take an object away, as somebody with credentials may."""
        obstore.delete(self._store, name)

    @property
    def _store(self) -> ObjectStore:
        return from_url(self.url, client_options={"allow_http": True})
