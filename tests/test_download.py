"""One transfer: where it begins, what of the answer it trusts, and what it leaves for the next try."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.client import Client
from batchrunner.download import DownloadFailed, Transfer
from tests.doubles import MemoryPart, in_virtual_time

pytestmark = pytest.mark.anyio

FILM = bytes(range(256)) * 8
URL = "https://films.example.com/1.mp4"
GIB_2 = 2 << 30

Server = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def pieces(content: bytes, size: int = 700, *, breaks: bool = False) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
    if breaks:
        raise httpx.RemoteProtocolError("peer closed connection")


def body(content: bytes, status: int = 200, *, breaks: bool = False, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=pieces(content, breaks=breaks))


def ranged(request: httpx.Request, content: bytes = FILM, etag: str = '"v1"') -> httpx.Response:
    """Answer as a good server does."""
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range") != etag:
        return body(content, etag=etag, content_length=str(len(content)))
    start = int(asked[1])
    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return body(content[start:], 206, etag=etag, content_range=span)


class Download:
    """A transfer and the requests it made."""

    def __init__(self, *servers: Server, max_bytes: int = GIB_2) -> None:
        self.requests: list[httpx.Request] = []
        self._servers = list(servers)
        self.part = MemoryPart()
        self.transfer = Transfer(self.part, max_bytes)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        server = self._servers.pop(0) if len(self._servers) > 1 else self._servers[0]
        return server(request)

    async def fetch(self) -> None:
        async with Client(
            "https://api.example.com", "t", transport=httpx.MockTransport(self._answer)
        ) as client:
            await self.transfer.fetch(client, URL)

    async def fetch_until_whole(self, tries: int = 100) -> bytes:
        for _ in range(tries):
            try:
                await self.fetch()
            except DownloadFailed:
                continue
            return bytes(self.part.content)
        raise AssertionError("never whole")

    @property
    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.requests]


def cut(at: int, **headers: str) -> Server:
    """A server whose connection breaks after *at* bytes."""
    named = {"etag": '"v1"', "content_length": str(len(FILM)), **headers}
    return lambda request: body(FILM[:at], breaks=True, **named)


async def test_a_whole_body_is_taken_as_it_is():
    download = Download(ranged)

    assert await download.fetch_until_whole(1) == FILM
    assert download.ranges == [None]


async def test_bytes_are_asked_for_as_they_are():
    download = Download(ranged)

    await download.fetch()

    assert download.requests[0].headers["accept-encoding"] == "identity"


async def test_a_cut_body_is_gone_on_from_where_the_server_vouches_for_it():
    download = Download(cut(1000), ranged)

    assert await download.fetch_until_whole() == FILM
    assert download.ranges == [None, "bytes=1000-"]
    assert download.requests[1].headers["if-range"] == '"v1"'


async def test_a_last_modified_date_vouches_too():
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    rest = body(FILM[1000:], 206, last_modified=date, content_range=f"bytes 1000-{len(FILM) - 1}/{len(FILM)}")
    headers = {"content_length": str(len(FILM)), "last_modified": date}
    download = Download(lambda request: body(FILM[:1000], breaks=True, **headers), lambda request: rest)

    assert await download.fetch_until_whole() == FILM
    assert download.requests[1].headers["if-range"] == date


@pytest.mark.parametrize("etag", [None, 'W/"v1"', "v1"])
async def test_without_a_strong_validator_it_begins_anew(etag):
    headers = {"content_length": str(len(FILM))} | ({"etag": etag} if etag else {})
    download = Download(lambda request: body(FILM[:1000], breaks=True, **headers), ranged)

    assert await download.fetch_until_whole() == FILM
    assert download.ranges == [None, None]


@pytest.mark.parametrize(
    "second",
    [
        lambda request: body(FILM, etag='"v2"', content_length=str(len(FILM))),  # ignores the range
        lambda request: body(b"", 416, content_range=f"bytes */{len(FILM)}"),
        lambda request: body(
            FILM[::-1][1000:], 206, etag='"v2"', content_range=f"bytes 1000-2047/{len(FILM)}"
        ),
        lambda request: body(FILM[900:], 206, etag='"v1"', content_range=f"bytes 900-2047/{len(FILM)}"),
        lambda request: body(FILM[1000:], 206, etag='"v1"', content_range="bytes 1000-2047/*"),
        lambda request: body(FILM[1000:1500], 206, etag='"v1"', content_range=f"bytes 1000-1499/{len(FILM)}"),
        lambda request: body(FILM[1000:], 206, etag='"v1"'),
        lambda request: body(b"<html>", 500),
    ],
    ids=["200", "416", "other etag", "other start", "no total", "not to the end", "no range", "500"],
)
async def test_whatever_answers_a_range_request_no_two_files_are_ever_joined(second):
    download = Download(cut(1000), second, ranged)

    assert await download.fetch_until_whole() == FILM


async def test_a_part_of_nothing_asked_for_is_refused():
    download = Download(lambda request: body(FILM[:9], 206, content_range=f"bytes 0-8/{len(FILM)}"))

    with pytest.raises(DownloadFailed, match="HTTP 206"):
        await download.fetch()


@pytest.mark.parametrize("status", [204, 403, 404, 410, 500, 503])
async def test_what_is_no_200_is_no_film(status):
    with pytest.raises(DownloadFailed, match=f"HTTP {status}"):
        await Download(lambda request: body(b"<html>", status)).fetch()


async def test_a_body_shorter_than_its_length_says_so():
    download = Download(lambda request: body(FILM[:1000], etag='"v1"', content_length="2048"))

    with pytest.raises(DownloadFailed, match="1,000 of 2,048 bytes"):
        await download.fetch()


async def test_a_file_declared_too_large_is_not_begun():
    download = Download(ranged, max_bytes=1000)

    with pytest.raises(DownloadFailed, match="2,048 bytes, more than the 1,000"):
        await download.fetch()

    assert download.part.size_bytes == 0


async def test_a_file_that_turns_out_too_large_is_given_up_on_the_way():
    download = Download(lambda request: body(FILM), max_bytes=1000)

    with pytest.raises(DownloadFailed, match="more than the 1,000"):
        await download.fetch()

    assert download.part.size_bytes <= 1000


async def test_a_compressed_body_is_unpacked_and_never_gone_on_from():
    import gzip

    packed = gzip.compress(FILM)
    headers = {"content_encoding": "gzip", "etag": '"v1"', "content_length": str(len(packed))}
    download = Download(
        lambda request: body(packed[: len(packed) // 2], breaks=True, **headers),
        lambda request: body(packed, **headers),
    )

    assert await download.fetch_until_whole() == FILM
    assert download.ranges == [None, None]


async def test_a_link_into_the_users_network_is_a_failed_download():
    download = Download(lambda request: httpx.Response(302, headers={"location": "ftp://10.0.0.1/x"}))

    with pytest.raises(DownloadFailed, match="not an http"):
        await download.fetch()


@given(st.lists(st.integers(0, len(FILM)), max_size=6), st.booleans())
@settings(max_examples=50)
def test_in_one_piece_or_cut_anywhere_the_file_is_the_same(cuts, vouched):
    etag = '"v1"' if vouched else 'W/"v1"'

    def cutting(at: int) -> Server:
        def server(request: httpx.Request) -> httpx.Response:
            whole = ranged(request, etag=etag)
            start = int(request.headers["range"][6:-1]) if whole.status_code == 206 else 0
            return httpx.Response(
                whole.status_code,
                headers={name: value for name, value in whole.headers.items() if name != "transfer-encoding"},
                content=pieces(FILM[start : max(start, at)], breaks=True),
            )

        return server

    async def scenario() -> bytes:
        download = Download(*map(cutting, cuts), lambda request: ranged(request, etag=etag))
        return await download.fetch_until_whole()

    assert anyio.run(scenario) == FILM


async def test_a_film_that_only_drips_is_given_up_and_gone_on_from_there():
    async def drops() -> AsyncIterator[bytes]:
        for byte in FILM:
            await anyio.sleep(1)
            yield bytes((byte,))

    dripping = httpx.Response(
        200, headers={"etag": '"v1"', "content-length": str(len(FILM))}, content=drops()
    )

    async def fetched() -> tuple[bytes, list[str | None]]:
        download = Download(lambda request: dripping, ranged)
        with pytest.raises(DownloadFailed, match="only 60 bytes came in 60 s"):
            await download.fetch()
        return await download.fetch_until_whole(1), download.ranges

    assert in_virtual_time(fetched) == (FILM, [None, "bytes=60-"])
