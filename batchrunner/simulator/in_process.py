"""How is the service reached without a network?  As an httpx transport.

Latency is slept on the running event loop, and a fault raises what httpx raises on a real connection.  With
tiny films it uses neither threads nor sockets, so a virtual clock can drive it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import NoReturn

import anyio
import httpx

from .rules import Service
from .studio import Studio, open_studio
from .wire import Answer, Ending, Framing, Refused, Render, Request, Silence, pieces


def transport(service: Service, clock: Callable[[], float]) -> httpx.AsyncBaseTransport:
    """Return a transport on which *service* answers every host.

    *clock* gives the instant of a request's arrival: `time.time` in earnest, `anyio.current_time` on a
    virtual clock.
    """
    return _InProcess(service, clock, open_studio(service.settings.films))


class _InProcess(httpx.AsyncBaseTransport):
    def __init__(self, service: Service, clock: Callable[[], float], studio: Studio) -> None:
        self._service = service
        self._clock = clock
        self._studio = studio

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        body = await request.aread()
        reply = self._service.handle(_read(request, body), self._clock())
        match reply:
            case Refused():
                raise httpx.ConnectError("All connection attempts failed", request=request)
            case Silence():
                await anyio.sleep(reply.latency_s)
                await _end(reply.ending, request, "Server disconnected without sending a response.")
            case Render():
                answer = reply.then(await self._studio.make(reply.order))
            case Answer():
                answer = reply
        await _wait(answer.latency_s, request)
        return httpx.Response(
            answer.status, headers=answer.head, stream=_Body(answer, request), request=request
        )


def _read(request: httpx.Request, body: bytes) -> Request:
    target = request.url.raw_path.decode("ascii")
    return Request.parse(request.method, target, request.headers, body, scheme=request.url.scheme)


def _read_timeout_s(request: httpx.Request) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("read")
    return timeout


async def _wait(delay_s: float, request: httpx.Request) -> None:
    """Let *delay_s* pass.  Raises httpx.ReadTimeout where the client gives up before."""
    limit_s = _read_timeout_s(request)
    if limit_s is not None and delay_s > limit_s:
        await anyio.sleep(limit_s)
        raise httpx.ReadTimeout("", request=request)
    if delay_s > 0:
        await anyio.sleep(delay_s)


async def _end(ending: Ending, request: httpx.Request, closed: str) -> NoReturn:
    """Raise what a client notices of *ending*; *closed* is the message of a connection closed too early."""
    match ending:
        case Ending.CLOSE:
            raise httpx.RemoteProtocolError(closed, request=request)
        case Ending.RESET:
            raise httpx.ReadError("", request=request)
        case Ending.STALL:
            await _wait(float("inf"), request)
            raise AssertionError("nobody waits for ever without being cancelled")


class _Body(httpx.AsyncByteStream):
    """The body of an answer, at its pace and up to where it is cut."""

    def __init__(self, answer: Answer, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for delay_s, piece in pieces(self._answer):
            await _wait(delay_s, self._request)
            yield piece
        await anyio.lowlevel.checkpoint()
        if not self._answer.looks_whole:
            await _end(self._answer.ending, self._request, self._cut_message(len(self._answer.sent)))

    def _cut_message(self, sent_bytes: int) -> str:
        start = "peer closed connection without sending complete message body"
        if self._answer.framing is Framing.CHUNKED:
            return f"{start} (incomplete chunked read)"
        return f"{start} (received {sent_bytes} bytes, expected {len(self._answer.body)})"
