"""How is the service reached over a real socket?  HTTP/1.1 on loopback, with the connection in hand.

Answers are written by hand, spoiled ones as well as proper ones.  In an outage the port is really closed, so
clients are refused by the operating system.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import Listener, SocketAttribute, SocketStream, TaskStatus

from .incoming import Incoming, NotHttp
from .rules import Service
from .studio import open_studio
from .wire import CHUNK_BYTES, Answer, Ending, Framing, Refused, Render, Reply, Request, Silence, pieces

_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, NotHttp)
"""The client went away or does not speak HTTP: the connection is done with."""

_NO_LINGER: Final = struct.pack("ii", 1, 0)
"""Closing a socket with this option sends RST instead of FIN."""


async def serve(
    service: Service,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    clock: Callable[[], float] = time.time,
    task_status: TaskStatus[int] = TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; the task's status is the port, which the system picks for 0.

    Raises OSError when the port cannot be had.
    """
    front = _Front(service, clock)
    service.begin(clock())
    announced = False
    while True:
        async with await anyio.create_tcp_listener(local_host=host, local_port=port) as listener:
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 (anyio, not Django)
            if not announced:
                task_status.started(port)
                announced = True
            await front.listen_until_away(listener)
        await front.wait_until_back()


class _Front:
    """The connections of one service."""

    def __init__(self, service: Service, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._studio = open_studio(service.settings.films)
        self._faults_changed = anyio.Event()

    async def listen_until_away(self, listener: Listener[SocketStream]) -> None:
        """Answer connections until an outage begins, which breaks off all of them."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._connection)
            await self._wait_away(True)
            tasks.cancel_scope.cancel()

    async def wait_until_back(self) -> None:
        """Wait until the outage is over."""
        await self._wait_away(False)

    async def _wait_away(self, wanted: bool) -> None:
        faults = self._service.faults
        while faults.is_away(self._clock()) is not wanted:
            self._faults_changed = anyio.Event()
            now = self._clock()
            change_at = faults.next_change(now)
            with anyio.move_on_after(None if change_at is None else change_at - now):
                await self._faults_changed.wait()

    async def _connection(self, stream: SocketStream) -> None:
        incoming = Incoming()
        async with stream:
            try:
                while await self._exchange(stream, incoming):
                    pass
            except _GONE:
                pass

    async def _exchange(self, stream: SocketStream, incoming: Incoming) -> bool:
        """One request and its reply; say whether the connection may be used again."""
        request = await _next_request(stream, incoming)
        reply = self._service.handle(request, self._clock())
        answer = await self._answer_of(reply)
        if answer is None:
            await _end(stream, reply.ending if isinstance(reply, Silence) else Ending.RESET)
            return False
        await anyio.sleep(answer.latency_s)
        if _is_proper(answer):
            has_body, stays = request.method != "HEAD", incoming.may_be_followed
            await _send_properly(stream, answer, has_body=has_body, stays=stays)
            if request.path.startswith("/_simulator/"):
                self._faults_changed.set()  # an outage that begins now breaks off this connection, too
            return stays
        await _send_raw(stream, answer)
        return False

    async def _answer_of(self, reply: Reply) -> Answer | None:
        match reply:
            case Answer():
                return reply
            case Render():
                return reply.then(await self._studio.make(reply.order))
            case Silence():
                await anyio.sleep(reply.latency_s)
                return None
            case Refused():
                return None


async def _next_request(stream: SocketStream, incoming: Incoming) -> Request:
    while (request := incoming.take()) is None:
        incoming.feed(await stream.receive(CHUNK_BYTES))
        if incoming.waits_to_go_on:
            await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            incoming.waits_to_go_on = False
    return request


def _is_proper(answer: Answer) -> bool:
    whole = answer.cut_at is None and answer.framing is Framing.LENGTH
    return whole and answer.status >= 200 and answer.status not in (204, 304)


async def _send_properly(stream: SocketStream, answer: Answer, *, has_body: bool, stays: bool) -> None:
    head = _head(answer) if stays else _head(answer, "connection: close\r\n")
    if not has_body:
        await stream.send(head)
    elif answer.bytes_per_s is None and len(answer.body) <= CHUNK_BYTES:
        await stream.send(head + answer.body)
    else:
        await stream.send(head)
        await _send_body(stream, answer)


async def _send_raw(stream: SocketStream, answer: Answer) -> None:
    """Write exactly what the answer says, then end the connection as it says."""
    await stream.send(_head(answer))
    await _send_body(stream, answer)
    if answer.cut_at is None and answer.framing is Framing.CHUNKED:
        await stream.send(b"0\r\n\r\n")
    await _end(stream, answer.ending)


def _head(answer: Answer, more: str = "") -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in answer.head.items()]
    start = f"HTTP/1.1 {answer.status} {_phrase(answer.status)}\r\n"
    return "".join([start, *lines, more, "\r\n"]).encode("latin-1")


async def _send_body(stream: SocketStream, answer: Answer) -> None:
    chunked = answer.framing is Framing.CHUNKED
    for delay_s, piece in pieces(answer):
        if delay_s:
            await anyio.sleep(delay_s)
        await stream.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)


async def _end(stream: SocketStream, ending: Ending) -> None:
    match ending:
        case Ending.CLOSE:
            await stream.aclose()
        case Ending.RESET:
            raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            await anyio.aclose_forcefully(stream)
        case Ending.STALL:
            while await stream.receive():  # until the client hangs up
                pass


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
