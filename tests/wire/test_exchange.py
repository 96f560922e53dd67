"""An exchange: what a response is, wherever it is cut, and whether its connection may serve another."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.wire import Request, Unfinished
from batchrunner.wire.exchange import BLOCK_BYTES, READ_AHEAD_BYTES, Exchange

GET = Request(method="GET", url="http://api.test/", headers=(), connect_s=1.0, silence_s=1.0)

RESPONSES = {
    "with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfilm",
    "of nothing": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nfi\r\n2;x=y\r\nlm\r\n0\r\nX: t\r\n\r\n",
    "without content": b"HTTP/1.1 204 No Content\r\nX:\r\nY: \r\n\r\n",
    "not changed": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "after a hint": b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
    "with a header twice": b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 1\r\n\r\nx",
}
TO_ITS_END = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nfilm"


@dataclass
class Carrier:
    """A connection that notes what an exchange asks of it."""

    asked: list[str] = field(default_factory=list)

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def let_go(self, exchange: Exchange) -> None:
        self.asked.append("let go")


def deliver(exchange: Exchange, data: bytes) -> None:
    """Let *data* come, as a connection does."""
    while data and (room := exchange.room()) is not None:
        count = min(len(data), len(room))
        room[:count] = data[:count]
        exchange.filled(count)
        data = data[count:]
    if data:
        exchange.arrived(data)


def exchange_after(*pieces: bytes, closed: bool = False) -> Exchange:
    exchange = Exchange(GET, Carrier())
    for piece in pieces:
        deliver(exchange, piece)
    if closed:
        exchange.broke_off(None)
    return exchange


def read(exchange: Exchange) -> tuple[int, dict[str, str], bytes]:
    """Return what came, of an exchange that has ended."""

    async def all_of_it() -> bytes:
        await exchange.head()
        body = b""
        while piece := await exchange.receive():
            body += piece
        return body

    body = anyio.run(all_of_it)
    return exchange.status, exchange.headers, body


def by_h11(response: bytes) -> tuple[int, dict[str, str], bytes]:
    """Read a response with a library that reads it in its own way."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "api.test")]))
    connection.receive_data(response)
    connection.receive_data(b"")
    status, headers, body = 0, {}, b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        match event:
            case h11.Response():
                status = event.status_code
                for name, value in event.headers:
                    key, text = name.decode(), value.decode()
                    headers[key] = f"{headers[key]}, {text}" if key in headers else text
            case h11.Data():
                body += bytes(event.data)
    return status, headers, body


@pytest.mark.parametrize("response", [*RESPONSES.values(), TO_ITS_END], ids=[*RESPONSES, "to its end"])
def test_a_response_is_what_another_library_reads_in_it(response):
    assert read(exchange_after(response, closed=True)) == by_h11(response)


@given(
    response=st.sampled_from([*RESPONSES.values(), TO_ITS_END]), cuts=st.lists(st.integers(0, 99), max_size=9)
)
def test_wherever_a_response_is_cut_it_is_the_same(response, cuts):
    ends = sorted({min(cut, len(response)) for cut in cuts} | {len(response)})
    pieces = [response[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    assert read(exchange_after(*pieces, closed=True)) == read(exchange_after(response, closed=True))


@given(
    body=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    headers=st.lists(
        st.tuples(st.sampled_from(["X-A", "x-b", "ETag"]), st.text("abc ,;=\"'/", max_size=9)), max_size=4
    ),
    is_chunked=st.booleans(),
)
def test_a_response_in_whatever_framing_is_what_another_library_reads_in_it(body, headers, is_chunked):
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    if is_chunked:
        framing = "Transfer-Encoding: chunked\r\n"
        content = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in body) + b"0\r\n\r\n"
    else:
        framing = f"Content-Length: {len(b''.join(body))}\r\n"
        content = b"".join(body)
    response = f"HTTP/1.1 200 OK\r\n{head}{framing}\r\n".encode() + content

    exchange = exchange_after(response)

    assert exchange.is_whole
    assert read(exchange) == by_h11(response)


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_no_part_of_a_response_passes_for_all_of_it(response):
    for end in range(len(response)):
        with pytest.raises(Unfinished):
            read(exchange_after(response[:end], closed=True))


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_connection_may_serve_another_request_once_a_response_is_whole(response):
    assert exchange_after(response).may_be_followed


@pytest.mark.parametrize(
    "response",
    [
        TO_ITS_END,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n",
    ],
)
def test_a_connection_that_said_more_or_will_close_serves_no_other_request(response):
    exchange = exchange_after(response, closed=response is TO_ITS_END)

    assert exchange.is_whole
    assert not exchange.may_be_followed


def test_what_comes_after_a_whole_answer_in_a_piece_of_its_own_ends_the_connection_too():
    exchange = exchange_after(RESPONSES["with a length"], b"HTTP/1.1 200 OK\r\n")

    assert not exchange.may_be_followed
    assert read(exchange)[2] == b"film"


@pytest.mark.parametrize("first", [RESPONSES["with a length"], RESPONSES["in chunks"]])
def test_a_second_answer_is_no_part_of_the_first(first):
    exchange = exchange_after(first + RESPONSES["with a length"])

    assert read(exchange)[2] == b"film"
    assert not exchange.may_be_followed


def test_who_lets_go_of_a_whole_body_unread_leaves_no_paused_connection_behind():
    carrier = Carrier()
    exchange = Exchange(GET, carrier)

    deliver(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (READ_AHEAD_BYTES + 1))
    deliver(exchange, bytes(READ_AHEAD_BYTES + 1))
    exchange.let_go()

    assert exchange.is_whole
    assert carrier.asked == ["pause", "resume", "let go"]


def test_the_framing_of_many_small_chunks_is_no_part_of_the_head():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    exchange = exchange_after(head + b"1\r\nx\r\n" * 40_000 + b"0\r\n\r\n")

    assert read(exchange)[2] == b"x" * 40_000


def test_a_sender_is_slowed_down_while_too_much_waits_for_its_reader():
    carrier = Carrier()
    exchange = Exchange(GET, carrier)
    deliver(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * READ_AHEAD_BYTES))
    for _ in range(6):
        deliver(exchange, b"x" * (READ_AHEAD_BYTES // 4))
    assert (carrier.asked, exchange.is_waiting) == (["pause"], False)

    async def read_some() -> None:
        while exchange.is_waiting is False:
            await exchange.receive()

    anyio.run(read_some)

    assert (carrier.asked, exchange.is_waiting) == (["pause", "resume"], True)


def test_what_came_before_a_connection_broke_can_be_read():
    exchange = exchange_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    exchange.broke_off(ConnectionResetError("reset by peer"))

    async def first_piece() -> bytes:
        return await exchange.receive()

    assert anyio.run(first_piece) == b"half"
    with pytest.raises(Unfinished, match="reset by peer"):
        read(exchange)


@given(
    size=st.integers(1, 3 * BLOCK_BYTES),
    steps=st.lists(st.tuples(st.integers(1, BLOCK_BYTES), st.booleans()), max_size=20),
)
@example(size=BLOCK_BYTES, steps=[(1, False), (1, True)])
def test_a_body_read_into_the_room_for_it_is_the_same_whenever_its_reader_looks(size, steps):
    body = b"".join(number.to_bytes(4) for number in range(size // 4 + 1))[:size]
    exchange = exchange_after(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    got = at = 0

    async def compare() -> None:
        nonlocal got
        while got < at:
            piece = await exchange.receive()
            assert piece == body[got : got + len(piece)]
            got += len(piece)

    while (room := exchange.room()) is not None:
        most, looks = steps.pop() if steps else (BLOCK_BYTES, True)
        count = min(most, len(room))
        room[:count] = body[at : at + count]
        exchange.filled(count)
        at += count
        if looks:
            anyio.run(compare)

    anyio.run(compare)
    assert exchange.is_whole
    assert (got, anyio.run(exchange.receive)) == (size, b"")


def test_what_a_reader_was_given_stays_as_it_is_while_the_rest_comes():
    exchange = exchange_after(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfilm")
    first = anyio.run(exchange.receive)

    deliver(exchange, b"star")

    assert (bytes(first), read(exchange)[2]) == (b"film", b"star")


def test_a_reader_that_wants_much_is_woken_for_much_and_for_the_end():
    async def read_in_threes() -> list[bytes]:
        exchange = exchange_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        got = []

        async def reader() -> None:
            while piece := await exchange.receive(3 - len(got) % 3):
                got.append(bytes(piece))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reader)
            for letter in b"film":
                deliver(exchange, b"1\r\n%c\r\n" % letter)
                await anyio.wait_all_tasks_blocked()
                states.append(len(got))
            deliver(exchange, b"0\r\n\r\n")
        return got

    states: list[int] = []

    assert b"".join(anyio.run(read_in_threes)) == b"film"
    assert states == [0, 0, 3, 3]


def test_a_reader_that_wants_more_than_waits_for_it_lets_a_paused_sender_go_on():
    async def read_blocks() -> None:
        carrier = Carrier()
        exchange = Exchange(GET, carrier)
        deliver(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * BLOCK_BYTES))
        deliver(exchange, b"x" * (BLOCK_BYTES + BLOCK_BYTES * 3 // 4))
        await exchange.receive(BLOCK_BYTES)
        assert carrier.asked == ["pause"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange.receive, BLOCK_BYTES)
            await anyio.wait_all_tasks_blocked()
            assert carrier.asked == ["pause", "resume"]
            tasks.cancel_scope.cancel()

    anyio.run(read_blocks)


def test_a_response_is_there_when_its_head_is():
    async def head_only() -> int:
        exchange = exchange_after()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange.head)
            await anyio.wait_all_tasks_blocked()
            deliver(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        return exchange.status

    assert anyio.run(head_only) == 200
