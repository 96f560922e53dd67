"""The wire: what is sent where, what of an answer is read, and that nothing is raised or repeated."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import httpx
import pytest
from anyio.abc import SocketStream
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchrunner import __version__
from batchrunner._types import RequestId
from batchrunner.answers import Answer, Fault, Kind
from batchrunner.client import (
    MAX_BODY_BYTES,
    PRODUCTION,
    Client,
    DownloadBroken,
    DownloadRefused,
    Timeouts,
)
from batchrunner.wire.through_httpx import FAULTS, fault_of
from tests.builders import MODEL

pytestmark = pytest.mark.anyio

API = "https://api.example.com"
TOKEN = "a-secret-token"
RID = RequestId("r-1")

CALLS: dict[str, Callable[[Client], object]] = {
    "submit": lambda client: client.submit(MODEL, {"text": "a fox"}),
    "status": lambda client: client.status(RID),
    "result": lambda client: client.result(RID),
    "cancel": lambda client: client.cancel(RID),
    "model": lambda client: client.model(MODEL),
}

ABSTRACT = {
    httpx.HTTPError, httpx.RequestError, httpx.TransportError, httpx.TimeoutException,
    httpx.NetworkError, httpx.ProtocolError,
}  # fmt: skip
"""Raised only as one of their kinds."""

NOT_OF_AN_EXCHANGE = {httpx.HTTPStatusError, httpx.CookieConflict}
"""Raised by raise_for_status() and by reading a cookie jar, which we don't do."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Recorder:
    """Answers every request with the next of its answers (the last one for ever) and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(handler: Callable[[httpx.Request], httpx.Response], **more: object) -> Client:
    return Client(API, TOKEN, transport=httpx.MockTransport(handler), **more)


async def call(handler: Callable[[httpx.Request], httpx.Response], name: str = "submit") -> Answer:
    async with client_of(handler) as client:
        return await CALLS[name](client)


# ── requests ──


@pytest.mark.parametrize(
    ("name", "method", "target"),
    [
        ("submit", "POST", f"/v1/models/{MODEL}"),
        ("status", "GET", "/v1/requests/r-1/status"),
        ("result", "GET", "/v1/requests/r-1/result?include_cost=true"),
        ("cancel", "POST", "/v1/requests/r-1/cancel"),
        ("model", "GET", f"/v1/models/{MODEL}"),
    ],
)
async def test_each_call_asks_for_its_page_with_the_token(name, method, target):
    seen = Recorder(httpx.Response(200, json={"request_id": "r-1"}))

    await call(seen, name)

    (request,) = seen.requests
    assert (request.method, str(request.url)) == (method, f"{API}{target}")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"] == f"batchrunner/{__version__}"


async def test_a_submission_sends_exactly_the_inputs_as_readable_json():
    seen = Recorder(httpx.Response(200, json={"request_id": "r-1"}))

    async with client_of(seen) as client:
        await client.submit(MODEL, {"text": "ein Füchslein 狐", "seed": 4, "camera_fixed": False})

    assert (
        seen.requests[0].content.decode() == '{"text": "ein Füchslein 狐", "seed": 4, "camera_fixed": false}'
    )
    assert seen.requests[0].headers["content-type"] == "application/json"


async def test_a_model_id_cannot_lead_to_another_page():
    seen = Recorder(httpx.Response(200, json={}))

    async with client_of(seen) as client:
        await client.model("acme/x?include=all#top 狐")

    assert seen.requests[0].url.raw_path == b"/v1/models/acme/x%3Finclude%3Dall%23top%20%E7%8B%90"


async def test_a_base_url_with_a_path_is_kept():
    seen = Recorder(httpx.Response(200, json={}))

    async with Client(
        "https://proxy.example.com/runcomfy/", TOKEN, transport=httpx.MockTransport(seen)
    ) as client:
        await client.status(RID)

    assert str(seen.requests[0].url) == "https://proxy.example.com/runcomfy/v1/requests/r-1/status"
    assert client.origin == "https://proxy.example.com"


@pytest.mark.parametrize("name", CALLS)
async def test_no_call_of_the_api_follows_a_redirect(name):
    seen = Recorder(httpx.Response(302, headers={"location": "https://elsewhere.example.com/"}))

    answer = await call(seen, name)

    assert len(seen.requests) == 1
    assert answer.kind in (Kind.IN_DOUBT, Kind.UNAVAILABLE)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "answer",
    [httpx.ReadTimeout("late"), httpx.ConnectError("away"), httpx.Response(500), httpx.Response(429)],
    ids=["late", "away", "500", "429"],
)
async def test_nothing_is_tried_again_from_here(name, answer):
    seen = Recorder(answer)

    await call(seen, name)

    assert len(seen.requests) == 1


# ── answers ──


async def test_an_acceptance_is_read():
    answer = await call(Recorder(httpx.Response(200, json={"request_id": "r-1", "status": "in_queue"})))

    assert answer.kind is Kind.OK
    assert answer.body == {"request_id": "r-1", "status": "in_queue"}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"request_id": "r-1"', b"\xff\xfe\x00", b"9" * 6000, b"[" * 100_000]
)
async def test_a_body_that_cannot_be_read_leaves_a_doubt(body):
    answer = await call(Recorder(httpx.Response(200, content=body)))

    assert answer.kind is Kind.IN_DOUBT


async def test_an_answer_with_a_broken_encoding_leaves_a_doubt():
    spoiled = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    answer = await call(Recorder(spoiled))

    assert answer.kind is Kind.IN_DOUBT


async def test_a_huge_answer_is_not_read_to_its_end():
    read = itertools.count()

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"padding": "'
        for number in read:
            if number > 1000:
                break
            yield b"x" * 65_536

    answer = await call(Recorder(httpx.Response(200, content=endless())))

    assert answer.kind is Kind.IN_DOUBT
    assert next(read) * 65_536 < MAX_BODY_BYTES * 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("999999", 86_400.0), ("9" * 5000, 86_400.0)],
)
async def test_retry_after_counts_in_seconds_up_to_a_day(header, seconds):
    answer = await call(Recorder(httpx.Response(429, headers={"retry-after": header})))

    assert answer.retry_after_s == seconds


async def test_retry_after_may_be_a_date():
    moment = datetime.now(UTC) + timedelta(seconds=100)
    answer = await call(
        Recorder(httpx.Response(429, headers={"retry-after": format_datetime(moment, usegmt=True)}))
    )

    assert answer.retry_after_s == pytest.approx(100, abs=10)


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00"])
async def test_a_date_that_is_over_means_at_once(header):
    answer = await call(Recorder(httpx.Response(429, headers={"retry-after": header})))

    assert answer.retry_after_s == 0.0


@pytest.mark.parametrize(
    "header",
    ["", "soon", "-5", "1.5", "٧", "Mon, 99 Foo 2015", "Mon, 1 Jan 99999999999999999999 00:00:00 GMT",
     "Mon, 1 Jan 2030 00:00:00 +9999999999999999999"],
)  # fmt: skip
async def test_a_retry_after_that_cannot_be_read_is_none(header):
    answer = await call(
        Recorder(
            httpx.Response(503, headers=[(b"retry-after", header.encode())], json={"error_message": "busy"})
        )
    )

    assert answer.retry_after_s is None
    assert answer.kind is Kind.UNAVAILABLE


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=60))
@example("Mon, 1 Jan 10000 00:00:00 GMT")
async def test_whatever_stands_in_retry_after_is_read_without_an_error(header):
    answer = await call(Recorder(httpx.Response(429, headers={"retry-after": header})))

    assert answer.retry_after_s is None or 0 <= answer.retry_after_s <= 86_400


@pytest.mark.parametrize("marked", [True, False])
async def test_a_simulator_is_known_by_its_header(marked):
    headers = {"x-batchrunner-simulator": "1"} if marked else {}

    async with client_of(Recorder(httpx.Response(200, headers=headers, json={}))) as client:
        await client.model(MODEL)

        assert client.simulated is marked


# ── faults of the transport ──


def exception_classes() -> set[type[Exception]]:
    """Every exception class the HTTP library has, by way of its names and of what derives from them."""
    unseen = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    found: set[type[Exception]] = set()
    while unseen:
        kind = unseen.pop()
        found.add(kind)
        unseen += kind.__subclasses__()
    return found


@pytest.mark.parametrize(
    "kind",
    sorted(exception_classes() - ABSTRACT - NOT_OF_AN_EXCHANGE, key=lambda kind: kind.__name__),
    ids=lambda kind: kind.__name__,
)
def test_every_exception_of_the_http_library_has_a_row(kind):
    assert any(parent in FAULTS for parent in kind.__mro__), f"what does {kind.__name__} say of a submission?"


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CALLS)
async def test_no_exception_of_the_http_library_escapes(name, kind):
    raised = (
        kind("boom")
        if issubclass(kind, (httpx.InvalidURL, httpx.StreamError))
        else kind("boom", request=None)
    )

    answer = await call(Recorder(raised), name)

    if FAULTS[kind] is Fault.NOT_SENT:
        assert answer.kind is Kind.NOT_SENT
    else:
        assert answer.kind is (Kind.IN_DOUBT if name == "submit" else Kind.UNAVAILABLE)
    assert kind.__name__ in answer.message


def test_an_exception_without_a_row_counts_as_lost():
    assert fault_of(OSError()) is Fault.LOST


BEFORE_A_CONNECTION = {
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.InvalidURL,
}  # fmt: skip
"""What is raised while there is no connection yet; each was looked at."""


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_only_what_fails_before_a_connection_is_called_not_sent(kind):
    assert FAULTS[kind] is (Fault.NOT_SENT if kind in BEFORE_A_CONNECTION else Fault.LOST)


# ── downloads ──


async def fetch(client: Client, url: str, **headers: str) -> bytes:
    async with client.download(url, headers) as answer:
        return b"".join([chunk async for chunk in answer.chunks()])


def film() -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(b"film"))


async def test_a_download_carries_no_token_nor_anything_else_of_the_account():
    seen = Recorder(film(), film())

    async with client_of(seen) as client:
        assert await fetch(client, "https://films.example.com/1.mp4") == b"film"
        assert await fetch(client, f"{API}/files/1.mp4") == b"film"

    for request in seen.requests:
        assert "authorization" not in request.headers
        assert TOKEN not in str(request.headers) + str(request.url)


async def test_a_download_follows_redirects_without_the_token():
    seen = Recorder(
        httpx.Response(302, headers={"location": "/moved.mp4"}),
        httpx.Response(307, headers={"location": "https://cdn.example.com/1.mp4"}),
        film(),
    )

    async with client_of(seen) as client:
        assert await fetch(client, "https://films.example.com/1.mp4", Range="bytes=4-") == b"film"

    assert [str(request.url) for request in seen.requests] == [
        "https://films.example.com/1.mp4",
        "https://films.example.com/moved.mp4",
        "https://cdn.example.com/1.mp4",
    ]
    assert all("authorization" not in request.headers for request in seen.requests)
    assert all(request.headers["range"] == "bytes=4-" for request in seen.requests)


async def test_a_download_that_is_sent_round_in_circles_is_refused():
    seen = Recorder(httpx.Response(302, headers={"location": "https://films.example.com/1.mp4"}))

    async with client_of(seen) as client:
        with pytest.raises(DownloadRefused, match="redirects"):
            await fetch(client, "https://films.example.com/1.mp4")

    assert len(seen.requests) == 6


@pytest.mark.parametrize(
    "target", ["ftp://films.example.com/1.mp4", "https://me@films.example.com/", "https://a b/"]
)
async def test_a_redirect_to_what_is_no_link_is_refused(target):
    async with client_of(Recorder(httpx.Response(302, headers={"location": target}))) as client:
        with pytest.raises(DownloadRefused):
            await fetch(client, "https://films.example.com/1.mp4")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/1.mp4", "http://localhost/1.mp4", "http://169.254.169.254/"]
)
async def test_a_public_service_cannot_send_downloads_into_the_users_network(url):
    async with Client(API, TOKEN) as client:
        with pytest.raises(DownloadRefused):
            await fetch(client, url)


async def test_a_name_that_stands_for_an_address_inside_is_refused_as_well(monkeypatch):
    async def inside(host, port, **more):
        return [(2, 1, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", inside)

    async with Client(API, TOKEN) as client:
        with pytest.raises(DownloadRefused, match="inside your own network"):
            await fetch(client, "https://films.example.com/1.mp4")


async def test_a_failed_exchange_is_a_broken_download():
    async with client_of(Recorder(httpx.ConnectError("away"))) as client:
        with pytest.raises(DownloadBroken, match="ConnectError: away"):
            await fetch(client, "https://films.example.com/1.mp4")


# ── on real sockets ──

Served = Callable[[SocketStream], object]


@asynccontextmanager
async def served(answer: Served) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve *answer* on loopback; give the origin and, for each connection, what it received first."""
    connections: list[bytes] = []

    async def handle(stream: SocketStream) -> None:
        async with stream:
            try:
                while True:
                    connections.append(await stream.receive())
                    await answer(stream)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}", connections
        tasks.cancel_scope.cancel()


def whole(body: bytes, head: bytes = b"HTTP/1.1 200 OK") -> Served:
    async def answer(stream: SocketStream) -> None:
        await stream.send(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body))

    return answer


async def test_a_submission_travels_on_a_connection_of_its_own():
    ports: list[int] = []

    async def answer(stream: SocketStream) -> None:
        ports.append(stream.extra(anyio.abc.SocketAttribute.remote_port))
        await whole(b'{"request_id": "r-1"}')(stream)

    async with served(answer) as (origin, _), Client(origin, TOKEN) as client:
        await client.status(RID)
        for _ in range(3):
            assert (await client.submit(MODEL, {})).kind is Kind.OK

    assert len(set(ports)) == 4


async def test_looks_share_a_connection():
    ports: set[int] = set()

    async def answer(stream: SocketStream) -> None:
        ports.add(stream.extra(anyio.abc.SocketAttribute.remote_port))
        await whole(b"{}")(stream)

    async with served(answer) as (origin, _), Client(origin, TOKEN) as client:
        for _ in range(3):
            await client.status(RID)

    assert len(ports) == 1


async def test_an_answer_that_drips_is_given_up():
    async def drip(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{")
        while True:
            await anyio.sleep(0.01)
            await stream.send(b" ")

    timeouts = Timeouts(connect_s=0.1, post_s=0.1, get_s=0.1)
    async with served(drip) as (origin, _), Client(origin, TOKEN, timeouts=timeouts) as client:
        assert (await client.submit(MODEL, {})).kind is Kind.IN_DOUBT
        assert (await client.status(RID)).kind is Kind.UNAVAILABLE


@pytest.mark.parametrize("name", CALLS)
async def test_nobody_listening_means_that_nothing_was_sent(name):
    async with served(whole(b"{}")) as (origin, _):
        pass

    async with Client(origin, TOKEN) as client:
        assert (await CALLS[name](client)).kind is Kind.NOT_SENT


async def test_a_connection_closed_after_the_request_is_a_doubt():
    async def close(stream: SocketStream) -> None:
        await stream.aclose()

    async with served(close) as (origin, received), Client(origin, TOKEN) as client:
        answer = await client.submit(MODEL, {})

    assert answer.kind is Kind.IN_DOUBT
    assert len(received) == 1


NONSENSE = {
    "nothing": b"",
    "no HTTP": b"220 mail.example.com ESMTP\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "odd status": b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}",
    "old HTTP": b"HTTP/0.9 200 OK\r\n\r\n{",
    "odd length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "no colon": b"HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\n{}",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n{}",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n{}",
    "odd chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "odd coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: snappy\r\n\r\n{",
    "only early": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "switched": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 1\r\n\r\n{",
    "cut": b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"request_id"',
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("name", CALLS)
async def test_whatever_comes_over_the_wire_is_an_answer_and_never_an_error(name, nonsense):
    async def send(stream: SocketStream) -> None:
        await stream.send(NONSENSE[nonsense])
        await stream.aclose()

    timeouts = Timeouts(connect_s=1.0, post_s=1.0, get_s=1.0)
    async with served(send) as (origin, _), Client(origin, TOKEN, timeouts=timeouts) as client:
        answer = await CALLS[name](client)

    assert answer.kind in ({Kind.IN_DOUBT} if name == "submit" else {Kind.UNAVAILABLE, Kind.CONTRACT})


async def test_a_local_service_is_reached_without_the_proxies_of_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async with served(whole(b'{"request_id": "r-1"}')) as (origin, _), Client(origin, TOKEN) as client:
        assert (await client.submit(MODEL, {})).kind is Kind.OK


async def test_a_download_that_is_cut_gives_what_came_before_the_cut():
    async def cut(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await stream.aclose()

    got: list[bytes] = []

    async def fetch_until_it_breaks(client: Client, url: str) -> None:
        async with client.download(url, {}) as answer:
            async for chunk in answer.chunks():
                got.append(chunk)  # noqa: PERF401 (a comprehension would lose what came before the cut)

    async with served(cut) as (origin, _), Client(origin, TOKEN) as client:
        with pytest.raises(DownloadBroken):
            await fetch_until_it_breaks(client, f"{origin}/1.mp4")

    assert b"".join(got) == b"half"


# ── the balance ──


async def balance_at(origin: str, **more) -> tuple[Answer | None, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def wallet(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"balance_microdollars": 5})

    async with Client(origin, TOKEN, transport=httpx.MockTransport(wallet)) as client:
        return await client.balance(), seen


@pytest.mark.parametrize("written", [PRODUCTION, "HTTPS://Model-API.runcomfy.net:443/"])
async def test_the_official_balance_is_read_at_its_own_host_with_the_token(written):
    answer, [request] = await balance_at(written)

    assert answer is not None
    assert str(request.url) == "https://api.runcomfy.net/prod/v2/balance"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_no_other_api_sends_the_token_to_the_official_balance_host():
    _, [request] = await balance_at("http://127.0.0.1:8000")

    assert str(request.url) == "http://127.0.0.1:8000/prod/v2/balance"


async def test_an_api_elsewhere_is_not_asked_for_a_balance():
    client = Client("https://proxy.example.com", TOKEN)  # nothing is opened: nothing may be sent

    assert await client.balance() is None
