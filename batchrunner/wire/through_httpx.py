"""The wire through httpx: where a proxy leads to the service, and where something stands in for it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from functools import partial
from types import TracebackType
from typing import Final, Self, cast

import anyio
from msgspec import Struct

from .._httpx import httpx
from ..answers import Fault
from .messages import NotSent, Request, Unfinished

CLOSES_WITHIN_S: Final = 1.0
"""Longer nobody waits for the end of an answer that is not wanted."""

FAULTS: Final[dict[type[Exception], Fault]] = {
    # No connection was made, so nothing can have arrived:
    httpx.ConnectError: Fault.NOT_SENT,
    httpx.ConnectTimeout: Fault.NOT_SENT,
    httpx.PoolTimeout: Fault.NOT_SENT,
    httpx.ProxyError: Fault.NOT_SENT,
    httpx.UnsupportedProtocol: Fault.NOT_SENT,
    httpx.InvalidURL: Fault.NOT_SENT,
    # Something may have arrived:
    httpx.ReadTimeout: Fault.LOST,
    httpx.WriteTimeout: Fault.LOST,
    httpx.ReadError: Fault.LOST,
    httpx.WriteError: Fault.LOST,
    httpx.CloseError: Fault.LOST,
    httpx.RemoteProtocolError: Fault.LOST,
    httpx.LocalProtocolError: Fault.LOST,
    httpx.DecodingError: Fault.LOST,
    httpx.TooManyRedirects: Fault.LOST,
    httpx.StreamError: Fault.LOST,
}
"""Every exception the HTTP library raises for an exchange; a test fails when it grows another."""


class Answered(Struct):
    """A response of httpx's whose body is still on the wire."""

    _request: Request
    _response: httpx.Response
    _by: float | None
    """The event loop's instant by which it must be whole."""
    _body: AsyncIterator[bytes] | None = None
    _waited_s: float = 0.0
    """For the bytes that follow; the reader's own time is not counted."""
    _received_bytes: int = 0

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def receive(self, least: int = 1) -> bytes:
        if self._waited_s >= self._request.silence_s:
            slowness = self._request.slowness(self._received_bytes, self._waited_s)
            if slowness is not None:
                raise Unfinished(slowness)
            self._waited_s, self._received_bytes = 0.0, 0
        began = anyio.current_time()
        piece = await self._next()
        self._waited_s += anyio.current_time() - began
        self._received_bytes += len(piece)
        return piece

    async def _next(self) -> bytes:
        if self._body is None:
            self._body = aiter(cast(httpx.AsyncByteStream, self._response.stream))
        try:
            with _until(self._by):
                while not (piece := await anext(self._body)):
                    pass
        except StopAsyncIteration:
            return b""
        except (TimeoutError, httpx.HTTPError, httpx.StreamError) as error:
            raise Unfinished(words_of(error)) from error
        return piece

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSES_WITHIN_S):
            if isinstance(self._body, AsyncGenerator):
                await self._body.aclose()
            await self._response.aclose()


class StandIn:
    """A transport of httpx's that stands in for the network, as it is."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def send(self, request: Request) -> Answered:
        return await _sent(self._transport.handle_async_request, request)


class ByProxy:
    """httpx's own client, which knows the proxies of the environment."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        tls = ssl.create_default_context()
        self._kept, self._fresh = [
            await self._stack.enter_async_context(
                httpx.AsyncClient(
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=kept),
                    verify=tls,
                    follow_redirects=False,
                    timeout=None,
                )
            )
            for kept in (None, 0)
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, request: Request) -> Answered:
        client = self._kept if request.keep_alive else self._fresh
        return await _sent(partial(client.send, stream=True), request)


async def _sent(line: Callable[[httpx.Request], Awaitable[httpx.Response]], request: Request) -> Answered:
    whole_by = None if request.whole_s is None else anyio.current_time() + request.whole_s
    try:
        timeout = httpx.Timeout(request.silence_s, connect=request.connect_s, pool=None).as_dict()
        sent = httpx.Request(
            request.method,
            request.url,
            headers=list(request.headers),
            content=request.body or None,
            extensions={"timeout": timeout},
        )
        with _until(whole_by):
            return Answered(request, await line(sent), whole_by)
    except Exception as error:  # whatever it is: it must not pass for an answer, nor end the run
        trouble = NotSent if fault_of(error) is Fault.NOT_SENT else Unfinished
        raise trouble(words_of(error)) from error


def _until(instant: float | None) -> AbstractContextManager[object]:
    """Raise TimeoutError at the event loop's *instant*."""
    return nullcontext() if instant is None else anyio.fail_after(max(0.0, instant - anyio.current_time()))


def fault_of(error: Exception) -> Fault:
    """Return what an exception says of the exchange; an unlisted one counts as lost."""
    return next((FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS), Fault.LOST)


def words_of(error: Exception) -> str:
    """Return a short reason; some of the library's exceptions carry no text of their own."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
