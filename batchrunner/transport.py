"""The wire under the client: aiohttp's connections, behind httpx's requests, responses and errors.

httpx's own pool asks every idle connection for its state on every request: work that grows with the square
of the connections.  What the money rule needs of a transport is kept here: every error of aiohttp becomes
the one of httpx that says truly whether a connection was made, nothing is sent a second time, no redirect
is followed, and an address is passed on letter by letter.  See docs/decisions/0010-http-over-aiohttp.md.
"""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Final

import aiohttp
import yarl

from ._httpx import httpx

ERRORS: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    # Raised before there was a connection, so nothing can have arrived:
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.ClientProxyConnectionError: httpx.ProxyError,
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.InvalidURL: httpx.UnsupportedProtocol,
    aiohttp.NonHttpUrlClientError: httpx.UnsupportedProtocol,
    # Raised once there was one, so something may have arrived:
    aiohttp.InvalidUrlRedirectClientError: httpx.RemoteProtocolError,
    aiohttp.NonHttpUrlRedirectClientError: httpx.RemoteProtocolError,
    aiohttp.ServerTimeoutError: httpx.ReadTimeout,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientPayloadError: httpx.ReadError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.ClientError: httpx.ReadError,
    OSError: httpx.ReadError,
    ValueError: httpx.LocalProtocolError,
}
"""What each of aiohttp's errors is called in httpx's terms; a class counts as the nearest one above it."""

READ_BUFFER_BYTES: Final = 1 << 19
"""So much of a download is read ahead before the sender is slowed down."""

LONGEST_HEADER_BYTES: Final = 65_536
"""A signed link in a redirect may be long."""


def pooled(connections: int, *, keep_alive: bool) -> httpx.AsyncBaseTransport:
    """Return a transport of so many connections at once (0: any number), reused only if *keep_alive*."""
    connector = aiohttp.TCPConnector(limit=connections, force_close=not keep_alive)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # the response of httpx does it
        trust_env=False,  # neither ~/.netrc nor proxies: only our token logs in
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        read_bufsize=READ_BUFFER_BYTES,
        max_line_size=LONGEST_HEADER_BYTES,
        max_field_size=LONGEST_HEADER_BYTES,
    )
    session._retry_connection = False  # no retry layer hides below ours
    return _AiohttpTransport(session)


def proxies_are_set() -> bool:
    """Return whether the environment names a proxy; requests then stay on httpx's own transport."""
    return bool(urllib.request.getproxies())


class _AiohttpTransport(httpx.AsyncBaseTransport):
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions["timeout"]
        body = request.content  # ours are whole, never streamed
        try:
            response = await self._session.request(
                request.method,
                _letter_by_letter(str(request.url)),
                headers=[
                    (name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw
                ],
                data=body or None,
                allow_redirects=False,
                timeout=_timeout(timeout["connect"], timeout["read"]),
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _as_httpx(error) from error
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=_Body(response), request=request
        )

    async def aclose(self) -> None:
        await self._session.close()


class _Body(httpx.AsyncByteStream):
    """What arrives of an answer, in the pieces in which it arrives."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        """Give the connection back; one with an unread rest is closed."""
        self._response.release()


@lru_cache(maxsize=4_096)  # jobs in flight are looked at again and again
def _letter_by_letter(address: str) -> yarl.URL:
    return yarl.URL(address, encoded=True)


@lru_cache(maxsize=16)
def _timeout(connect_s: float, silence_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect_s, sock_connect=connect_s, sock_read=silence_s)


def kind_in_httpx(kind: type[BaseException]) -> type[httpx.TransportError]:
    """Return what an error is called in httpx's terms; FAULTS in client.py says what those mean."""
    return next(ERRORS[known] for known in kind.__mro__ if known in ERRORS)


def _as_httpx(error: Exception) -> httpx.TransportError:
    return kind_in_httpx(type(error))(str(error) or type(error).__name__)
