"""Our own connections: no error says "not sent" of what may have arrived, and nothing goes out twice."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
import trustme
from anyio.abc import SocketStream
from anyio.streams.tls import TLSListener

from batchrunner._types import RequestId
from batchrunner.answers import Kind
from batchrunner.client import Client, DownloadBroken, Timeouts
from batchrunner.wire import NotSent, Piece, Request, connection, pool, wire
from batchrunner.wire.exchange import BLOCK_BYTES, READ_AHEAD_BYTES
from tests.builders import MODEL
from tests.test_client import Served, fetch, served, whole

pytestmark = pytest.mark.anyio

RID = RequestId("r-1")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


def answer_once_then_close() -> Served:
    """Accept a job, and close instead of a second answer."""
    answers = iter([whole(b"{}"), lambda stream: stream.aclose()])
    return lambda stream: next(answers)(stream)


async def test_a_look_on_a_connection_that_was_closed_meanwhile_is_not_repeated_by_itself():
    async with served(answer_once_then_close()) as (origin, received), Client(origin, "t") as client:
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
    first_line = f"POST http://api.example.com/v1/models/{MODEL} HTTP/1.1".encode()
    assert b"".join(received).split(b"\r\n")[0] == first_line
    assert b"".join(received).count(b"HTTP/1.1") == 1


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


# ── time ──


async def test_a_service_that_falls_silent_in_the_middle_is_given_up_and_leaves_a_doubt():
    async def half(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")
        await anyio.sleep_forever()

    quick = Timeouts(post_s=0.05, get_s=0.05, download_s=0.05)
    async with served(half) as (origin, _), Client(origin, "t", timeouts=quick) as client:
        submitted = await client.submit(MODEL, {})
        looked = await client.status(RID)
        with pytest.raises(DownloadBroken, match="nothing heard"):
            await fetch(client, f"{origin}/1.mp4")

    assert (submitted.kind, looked.kind) == (Kind.IN_DOUBT, Kind.UNAVAILABLE)
    assert "nothing heard for 0.05 s" in submitted.message


def dripping(size: int, every_s: float) -> Served:
    """Serve *size* bytes of a film of a million, one at a time, and then nothing."""

    async def drip(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with suppress(anyio.BrokenResourceError):
            for _ in range(size):
                await stream.send(b"x")
                await anyio.sleep(every_s)
            await anyio.sleep_forever()

    return drip


async def test_a_film_that_only_drips_is_given_up_with_what_has_come():
    got: list[Piece] = []

    async def take_all(chunks: AsyncIterator[Piece]) -> None:
        async for chunk in chunks:
            got.append(chunk)  # noqa: PERF401 (a comprehension would lose what came before)

    async with (
        served(dripping(1000, every_s=0.01)) as (origin, _),
        Client(origin, "t", timeouts=Timeouts(download_s=0.2)) as client,
        client.download(f"{origin}/1.mp4", {}) as answer,
    ):
        with pytest.raises(DownloadBroken, match=r"only \d+ bytes came in 0\.\d+ s"):
            await take_all(answer.chunks())

    assert 0 < len(b"".join(got)) < 100


async def test_a_slow_film_is_no_dripping_one(monkeypatch):
    monkeypatch.setattr("batchrunner.client.SLOWEST_BYTES_S", 20)
    async with (
        served(dripping(50, every_s=0.01)) as (origin, _),
        Client(origin, "t", timeouts=Timeouts(download_s=0.2)) as client,
    ):
        with pytest.raises(DownloadBroken, match="nothing heard"):
            await fetch(client, f"{origin}/1.mp4")


async def test_a_reader_that_takes_its_time_is_not_taken_for_a_silent_service():
    body = b"x" * (4 * READ_AHEAD_BYTES)
    quick = Timeouts(download_s=0.1)
    async with served(whole(body)) as (origin, _), Client(origin, "t", timeouts=quick) as client:
        got = 0
        async with client.download(f"{origin}/1.mp4", {}) as answer, aclosing(answer.chunks(1)) as chunks:
            async for chunk in chunks:
                if not got:
                    await anyio.sleep(0.3)
                got += len(chunk)

    assert got == len(body)


async def test_films_that_come_at_once_in_pieces_do_not_get_into_one_another():
    def film(letter: bytes) -> bytes:
        return b"".join(letter + number.to_bytes(3) for number in range(BLOCK_BYTES // 3))

    def in_pieces(body: bytes) -> Served:
        async def send(stream: SocketStream) -> None:
            await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
            for start in range(9, len(body), 30_000):
                await anyio.lowlevel.checkpoint()
                await stream.send(body[start : start + 30_000])

        return send

    films = [film(b"a"), film(b"b")]
    async with (
        served(in_pieces(films[0])) as (first, _),
        served(in_pieces(films[1])) as (second, _),
        Client(first, "t") as client,
    ):
        got: dict[str, bytes] = {}

        async def take(origin: str) -> None:
            got[origin] = await fetch(client, f"{origin}/1.mp4")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take, first)
            tasks.start_soon(take, second)

    assert [got[first], got[second]] == films


async def test_a_host_that_does_not_take_the_connection_was_sent_nothing():
    with socket.socket() as full:  # its queue is full: a further connection waits for ever
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        origin = f"http://127.0.0.1:{address[1]}"
        async with Client(origin, "t", timeouts=Timeouts(connect_s=0.1)) as client:
            answer = await client.submit(MODEL, {})
        for one in waiting:
            one.close()

    assert answer.kind is Kind.NOT_SENT


# ── what a connection is used for ──


async def test_a_connection_that_said_more_than_it_was_asked_serves_no_other_look():
    more = whole(b"{}", head=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK")
    ports: list[int] = []

    async def answer(stream: SocketStream) -> None:
        ports.append(stream.extra(anyio.abc.SocketAttribute.remote_port))
        await more(stream)

    async with served(answer) as (origin, _), Client(origin, "t") as client:
        for _ in range(2):
            await client.status(RID)

    assert len(set(ports)) == 2


class Clock:
    """A clock that goes on while the machine sleeps, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (pool, connection):
        monkeypatch.setattr(module, "sleepless_time", clock)
    return clock


def noting(ports: list[int]) -> Served:
    """Accept a job, and note on which connection it was asked."""

    async def answer(stream: SocketStream) -> None:
        ports.append(stream.extra(anyio.abc.SocketAttribute.remote_port))
        await whole(b'{"request_id": "r-1"}')(stream)

    return answer


@pytest.mark.parametrize(("rested_s", "connections"), [(14.0, 1), (16.0, 2), (7200.0, 2)])
async def test_a_connection_that_rested_for_long_serves_no_other_look(sleepless, rested_s, connections):
    ports: list[int] = []

    async with served(noting(ports)) as (origin, _), Client(origin, "t") as client:
        await client.status(RID)
        sleepless.now += rested_s
        await client.status(RID)

    assert len(set(ports)) == connections


@pytest.mark.parametrize("stray", [429, 422, 503, 408, 200])
async def test_no_stray_answer_passes_for_that_to_a_submission(stray):
    """As of a proxy that gives a kept connection up, or a service out of step with itself."""
    late = b'{"error_code": 429001, "request_id": "another"}'

    async def answer(stream: SocketStream) -> None:
        await whole(b'{"request_id": "r-1"}')(stream)
        await whole(late, head=b"HTTP/1.1 %d Stray" % stray)(stream)

    async with served(answer) as (origin, received), Client(origin, "t") as client:
        await client.status(RID)
        submitted = await client.submit(MODEL, {})

    assert (submitted.kind, submitted.body) == (Kind.OK, {"request_id": "r-1"})
    assert len([request for request in received if request.startswith(b"POST")]) == 1


async def test_a_connection_that_nobody_needs_any_more_is_closed(sleepless):
    ports: list[int] = []
    is_closed, second_is_answered = anyio.Event(), anyio.Event()

    async def answer(stream: SocketStream) -> None:
        ports.append(stream.extra(anyio.abc.SocketAttribute.remote_port))
        turn = len(ports)
        if turn == 1:
            await second_is_answered.wait()
        await whole(b"{}")(stream)
        if turn == 2:
            with suppress(anyio.EndOfStream):
                await stream.receive()
            is_closed.set()

    async def look() -> None:
        await client.status(RID)
        second_is_answered.set()

    async with served(answer) as (origin, _), Client(origin, "t") as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            tasks.start_soon(look)
        for _ in range(4):
            sleepless.now += 8.0
            await client.status(RID)
        with anyio.fail_after(5):
            await is_closed.wait()

    assert set(ports[2:]) == {ports[0]}


async def test_a_look_that_is_cancelled_leaves_its_answer_to_nobody():
    answers = iter([b'{"request_id": "r-1", "status": "completed"}', b"{}"])
    first = anyio.Event()

    async def late_then_at_once(stream: SocketStream) -> None:
        body = next(answers)
        if not first.is_set():
            first.set()
            await anyio.sleep(0.05)
        await whole(body)(stream)

    async with served(late_then_at_once) as (origin, _), Client(origin, "t") as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.status, RID)
            await first.wait()
            tasks.cancel_scope.cancel()
        second = await client.status(RID)

    assert second.body == {}


async def test_a_look_that_is_cancelled_closes_its_connection():
    asked, gone = anyio.Event(), anyio.Event()

    async def listen_on(stream: SocketStream) -> None:
        asked.set()
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            await stream.receive()
        gone.set()

    async with served(listen_on) as (origin, _), Client(origin, "t") as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.status, RID)
            await asked.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(5):
            await gone.wait()


async def test_a_header_that_cannot_be_sent_sends_nothing():
    async with served(whole(b"{}")) as (origin, received), Client(origin, "t\r\nX-Evil: 1") as client:
        submitted = await client.submit(MODEL, {})

    assert (submitted.kind, received) == (Kind.NOT_SENT, [])


@pytest.mark.parametrize("address", ["ftp://films.example.com/1.mp4", "https:///1.mp4", "mailto:a@b.c"])
async def test_an_address_that_no_request_leads_to_is_sent_nothing(address):
    request = Request(method="GET", url=address, headers=(), connect_s=1.0, silence_s=1.0)

    async with wire(is_local=True, stand_in=None) as line:
        with pytest.raises(NotSent):
            await line.send(request)


# ── TLS ──


@asynccontextmanager
async def served_safely(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Accept jobs over TLS with a certificate for *host* that this machine trusts; give the origin."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)

    async def answer(stream: anyio.abc.ByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            async with stream:
                while True:
                    await stream.receive()
                    await stream.send(b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"request_id": "r-1"}')

    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener = TLSListener(plain, context, standard_compatible=False)  # as HTTP has it
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"https://127.0.0.1:{plain.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


async def test_the_real_service_is_spoken_to_over_tls(tmp_path, monkeypatch):
    async with served_safely("127.0.0.1", tmp_path, monkeypatch) as origin, Client(origin, "t") as client:
        submitted = await client.submit(MODEL, {})
        looked = [await client.status(RID) for _ in range(2)]

    assert [answer.kind for answer in (submitted, *looked)] == [Kind.OK] * 3


async def test_a_host_with_a_certificate_for_another_is_sent_nothing(tmp_path, monkeypatch):
    async with served_safely("api.test", tmp_path, monkeypatch) as origin, Client(origin, "t") as client:
        submitted = await client.submit(MODEL, {})

    assert submitted.kind is Kind.NOT_SENT
    assert "certificate" in submitted.message
