"""Connections of our own: kept for the next request, or a fresh one for a submission.

The pool hands out the connection that was used last, so that idle ones are not kept alive by turns, and none
that has rested for long: the other side may be closing it.  How many are open at once is the gates' to say.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import anyio

from ..clock import sleepless_time
from .connection import Connection
from .exchange import Exchange
from .messages import NotSent, Origin, Request

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

KEPT_S: Final = 15.0
"""A connection that rested longer is closed: servers keep theirs for a minute, some for less."""

SECOND_ADDRESS_AFTER_S: Final = 0.25
"""A host's next address is tried beside the first after this (RFC 8305, 5)."""


DESK_BYTES: Final = 1 << 16
"""Where heads and short answers are read from, one at a time: one for all connections."""


class Connections:
    """A wire of our own; needs asyncio's event loop."""

    def __init__(self) -> None:
        self._resting: dict[Origin, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None
        self._swept_at = sleepless_time()
        self._desk = memoryview(bytearray(DESK_BYTES))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in tuple(self._open):
            connection.close()
        await asyncio.sleep(0)  # the loop closes the sockets in its next round

    async def send(self, request: Request) -> Exchange:
        origin, _ = request.origin, request.as_bytes  # what cannot be sent needs no connection
        connection = (self._rested(origin) if request.keep_alive else None) or await self._connect(request)
        try:
            exchange = connection.begin(request)
            await exchange.head()
        except BaseException:
            connection.close()
            raise
        if exchange.is_whole:
            exchange.let_go()
        return exchange

    def _rested(self, origin: Origin) -> Connection | None:
        resting = self._resting.get(origin)
        while resting:
            connection = resting.pop()
            if connection.is_open and sleepless_time() - connection.rests_since < KEPT_S:
                return connection
            connection.close()
        return None

    def _rests(self, connection: Connection) -> None:
        self._resting[connection.origin].append(connection)
        if connection.rests_since >= self._swept_at + KEPT_S:
            self._sweep(connection.rests_since)

    async def _connect(self, request: Request) -> Connection:
        """Make a connection, with its handshake.  Raises NotSent."""
        origin = request.origin
        try:
            with anyio.fail_after(request.connect_s):
                connection = await self._connected(origin)
        except TimeoutError:
            raise NotSent(f"no connection to {origin} within {request.connect_s:g} s") from None
        except (OSError, ValueError) as error:
            raise NotSent(f"no connection to {origin}: {error}") from error
        self._open.add(connection)
        return connection

    async def _connected(self, origin: Origin) -> Connection:
        loop, addresses = asyncio.get_running_loop(), await _addresses(origin)
        is_secure = origin.scheme == "https"
        make = partial(Connection, origin, self._desk, self._rests, self._open.discard)
        tls = self._context() if is_secure else None
        name = origin.host if is_secure else None
        if len(addresses) == 1:
            host, port = addresses[0][4][:2]
            return (await loop.create_connection(make, host, port, ssl=tls, server_hostname=name))[1]
        import aiohappyeyeballs  # most services have one address

        opened = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=SECOND_ADDRESS_AFTER_S, interleave=1, loop=loop
        )
        try:
            return (await loop.create_connection(make, sock=opened, ssl=tls, server_hostname=name))[1]
        except BaseException:
            opened.close()
            raise

    def _sweep(self, now: float) -> None:
        """Close what has rested for long, also where nobody asks for it any more."""
        self._swept_at, long_ago = now, now - KEPT_S
        for origin, resting in list(self._resting.items()):
            while resting and resting[0].rests_since < long_ago:
                resting.pop(0).close()
            if not resting:
                del self._resting[origin]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


async def _addresses(origin: Origin) -> Sequence[AddrInfoType]:
    """Return where a host may be reached; an address needs no name service, and no thread for it."""
    family = _family_of_literal(origin.host)
    if family is None:
        return await asyncio.get_running_loop().getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (origin.host, origin.port))]


@lru_cache(maxsize=256)
def _family_of_literal(host: str) -> socket.AddressFamily | None:
    """Return which kind of address *host* is; None for a name."""
    try:
        return socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return None
