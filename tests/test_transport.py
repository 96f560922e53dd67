"""The transport: no error says "not sent" of what may have arrived, and nothing goes out twice."""

from __future__ import annotations

import aiohttp
import pytest
from anyio.abc import SocketStream

from batchrunner._types import RequestId
from batchrunner.answers import Fault, Kind
from batchrunner.client import Client, fault_of
from batchrunner.transport import kind_in_httpx
from tests.builders import MODEL
from tests.test_client import Served, fetch, served, whole

pytestmark = pytest.mark.anyio

RID = RequestId("r-1")

BEFORE_A_CONNECTION = {
    "ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError",
    "ClientConnectorCertificateError", "ClientSSLError", "ClientProxyConnectionError",
    "UnixClientConnectorError", "ConnectionTimeoutError", "InvalidURL", "InvalidUrlClientError",
    "NonHttpUrlClientError",
}  # fmt: skip
"""aiohttp raises these while it looks at the address or makes the connection; all others come later."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def error_classes() -> list[type[aiohttp.ClientError]]:
    found: dict[str, type[aiohttp.ClientError]] = {}
    unseen: list[type[aiohttp.ClientError]] = [aiohttp.ClientError]
    while unseen:
        kind = unseen.pop()
        if kind.__module__.startswith("aiohttp"):
            found[kind.__name__] = kind
        unseen += kind.__subclasses__()
    return [found[name] for name in sorted(found)]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_only_errors_from_before_a_connection_say_that_nothing_was_sent(kind):
    fault = fault_of(kind_in_httpx(kind)("boom"))

    assert fault is (Fault.NOT_SENT if kind.__name__ in BEFORE_A_CONNECTION else Fault.LOST)


@pytest.mark.parametrize("kind", [OSError, ConnectionResetError, BrokenPipeError, TimeoutError, ValueError])
def test_an_error_of_the_systems_own_never_says_that_nothing_was_sent(kind):
    assert fault_of(kind_in_httpx(kind)("boom")) is Fault.LOST


def test_each_error_that_may_say_so_was_looked_at():
    assert {kind.__name__ for kind in error_classes()} >= BEFORE_A_CONNECTION


async def test_a_look_on_a_connection_that_was_closed_meanwhile_is_not_repeated_by_itself():
    seen = 0

    async def answer_once_then_close(stream: SocketStream) -> None:
        nonlocal seen
        seen += 1
        if seen > 1:
            await stream.aclose()
        else:
            await whole(b"{}")(stream)

    async with served(answer_once_then_close) as (origin, received), Client(origin, "t") as client:
        first = await client.status(RID)
        second = await client.status(RID)

    assert [first.kind is Kind.UNAVAILABLE, second.kind] == [False, Kind.UNAVAILABLE]
    assert len(received) == 2


async def test_a_handshake_that_fails_means_that_nothing_was_sent():
    async def no_tls(stream: SocketStream) -> None:
        await stream.send(b"220 mail.example.com ESMTP\r\n\r\n")

    async with served(no_tls) as (origin, _), Client(origin.replace("http:", "https:"), "t") as client:
        answer = await client.submit(MODEL, {})

    assert answer.kind is Kind.NOT_SENT


def moved_to(target: str) -> Served:
    return whole(b"", head=b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + target.encode())


async def test_no_redirect_takes_a_submission_or_the_token_elsewhere():
    async with (
        served(whole(b'{"request_id": "r-1"}')) as (elsewhere, received),
        served(moved_to(elsewhere)) as (origin, _),
        Client(origin, "t") as client,
    ):
        submitted = await client.submit(MODEL, {})
        looked = await client.status(RID)

    assert (submitted.kind, received) == (Kind.IN_DOUBT, [])
    assert looked.kind is not Kind.OK


async def test_through_a_proxy_no_redirect_is_followed_either(monkeypatch):
    async with served(moved_to("http://elsewhere.example.com/")) as (proxy, received):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        async with Client("http://api.example.com", "t") as client:
            submitted = await client.submit(MODEL, {})

    assert submitted.kind is Kind.IN_DOUBT
    assert [head.split(b"\r\n")[0] for head in received] == [
        f"POST http://api.example.com/v1/models/{MODEL} HTTP/1.1".encode()
    ]


@pytest.mark.parametrize("address", ["/a%2Fb%2fc+d%20e.mp4?sig=%7e~/=+%2B&x=%3D", "/%E7%8B%90.mp4?a=1&a=2;b"])
async def test_a_link_is_passed_on_letter_by_letter(address):
    async with served(whole(b"film")) as (origin, received), Client(origin, "t") as client:
        film = await fetch(client, origin + address)

    assert film == b"film"
    assert received[0].split(b"\r\n")[0] == f"GET {address} HTTP/1.1".encode()


async def test_a_download_given_up_midway_leaves_no_rest_for_the_next_one():
    bodies = iter([b"x" * 9, b"second"])

    async def long_then_short(stream: SocketStream) -> None:
        body = next(bodies)
        size = 1_000_000 if body.startswith(b"x") else len(body)
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, body))

    served_once: Served = long_then_short
    async with served(served_once) as (origin, _), Client(origin, "t") as client:
        async with client.download(f"{origin}/1.mp4", {}):
            pass
        film = await fetch(client, f"{origin}/2.mp4")

    assert film == b"second"


async def test_what_is_sent_of_a_submission_is_one_whole_request_and_nothing_of_the_librarys():
    async with served(whole(b'{"request_id": "r-1"}')) as (origin, received), Client(origin, "t") as client:
        await client.submit(MODEL, {"text": "a fox"})

    head, _, body = b"".join(received).partition(b"\r\n\r\n")
    names = sorted(line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:])
    assert body == b'{"text": "a fox"}'
    assert names == [
        b"accept", b"accept-encoding", b"authorization", b"connection", b"content-length", b"content-type",
        b"host", b"user-agent",
    ]  # fmt: skip
