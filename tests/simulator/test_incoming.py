"""Requests are read as another library writes them, wherever the network cuts them."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.simulator.incoming import MOST_HEAD_BYTES, Incoming, NotHttp
from batchrunner.simulator.wire import Request

HOST = ("Host", "service.test")


def written(method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> bytes:
    """A request as h11 puts it on the wire."""
    connection = h11.Connection(h11.CLIENT)
    length = [] if any(name == "Transfer-Encoding" for name, _ in headers) else [len(body)]
    all_headers = [HOST, *headers, *(("Content-Length", str(size)) for size in length)]
    head = connection.send(h11.Request(method=method, target=target, headers=all_headers))
    rest = connection.send(h11.Data(data=body)) if body else b""
    return head + rest + connection.send(h11.EndOfMessage())


def taken(incoming: Incoming) -> list[Request]:
    return list(iter(incoming.take, None))


def fed(*pieces: bytes) -> list[Request]:
    incoming = Incoming()
    for piece in pieces:
        incoming.feed(piece)
    return taken(incoming)


@given(
    body=st.binary(max_size=40),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(0, 200), max_size=4),
)
def test_a_request_is_what_was_written_wherever_it_is_cut(body, chunked, cuts):
    headers = [("Transfer-Encoding", "chunked")] if chunked else []
    whole = written("POST", "/v1/models/a%20b?x=1&y=", body, ("Authorization", "Bearer t"), *headers)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})

    (request,) = fed(*(whole[start:end] for start, end in pairwise(edges)))

    assert (request.method, request.path, request.query) == ("POST", "/v1/models/a b", {"x": "1", "y": ""})
    assert (request.body, request.origin) == (body, "http://service.test")
    assert request.headers["authorization"] == "Bearer t"


def test_requests_that_come_at_once_are_taken_one_by_one():
    first, second = written("GET", "/a"), written("POST", "/b", b"{}")

    assert [(one.path, one.body) for one in fed(first + second)] == [("/a", b""), ("/b", b"{}")]


@pytest.mark.parametrize(
    ("request_", "stays"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", False),
    ],
)
def test_a_connection_stays_where_its_client_wants_that(request_, stays):
    incoming = Incoming()

    incoming.feed(request_)

    assert incoming.take() is not None
    assert incoming.may_be_followed is stays


def test_a_body_that_is_held_back_is_asked_for():
    incoming = Incoming()

    incoming.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue  \r\n\r\n")
    waits = incoming.waits_to_go_on
    incoming.feed(b"{}")

    assert waits
    assert not incoming.waits_to_go_on
    assert [one.body for one in taken(incoming)] == [b"{}"]


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ],
    ids=["tls", "words", "space"],
)
def test_what_is_no_http_ends_the_connection(noise):
    with pytest.raises(NotHttp):
        fed(noise)


@pytest.mark.parametrize("noise", [b"@@@@", b"POST /b HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_request_is_answered_whatever_comes_behind_it_at_once(noise):
    incoming = Incoming()

    incoming.feed(b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + noise)
    request = incoming.take()

    assert request is not None
    assert (request.path, incoming.may_be_followed) == ("/a", False)


@given(cut=st.integers(1, 120))
def test_an_offer_to_speak_something_else_does_not_cost_the_body(cut):
    offer = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"))
    whole = written("POST", "/a", b'{"n": 1}', *offer)
    incoming = Incoming()

    incoming.feed(whole[:cut])
    if whole[cut:]:
        incoming.feed(whole[cut:])
    request = incoming.take()

    assert request is not None
    assert (request.body, incoming.may_be_followed) == (b'{"n": 1}', False)


def test_such_an_offer_with_a_body_of_no_known_length_ends_the_connection():
    with pytest.raises(NotHttp):
        fed(
            b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )


def test_a_head_that_does_not_end_ends_the_connection():
    lines = [b"x-%d: %b\r\n" % (number, b"y" * 100) for number in range(MOST_HEAD_BYTES // 100)]

    with pytest.raises(NotHttp):
        fed(b"GET / HTTP/1.1\r\n", *lines)


def test_a_long_body_is_no_endless_head():
    body = b"x" * (3 * MOST_HEAD_BYTES)
    whole = written("POST", "/", body)

    (request,) = fed(*(whole[at : at + 1000] for at in range(0, len(whole), 1000)))

    assert request.body == body
