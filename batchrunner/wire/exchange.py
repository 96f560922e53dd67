"""One exchange on a connection: the request is out, and this is what comes back.

httptools (llhttp, the parser of Node.js) reads the head and chunked bodies.  A body of known length goes past
it: what follows the head is read from the socket into blocks that its reader gets, so that no byte of a film
is copied on the way.  The end of a body is what RFC 9112, 6.3 says it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

import httptools

from .decoding import Piece
from .messages import Request, Unfinished

MOST_HEAD_BYTES: Final = 1 << 17
"""A signed link in a redirect may be long; a head that never ends is none."""

READ_AHEAD_BYTES: Final = 1 << 19
"""So much of a body may wait for its reader; then the sender is slowed down."""

BLOCK_BYTES: Final = READ_AHEAD_BYTES
"""What a reader gets at once of a large body."""


class Carrier(Protocol):
    """What an exchange needs of its connection."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def let_go(self, exchange: Exchange) -> None:
        """Take the connection back, for the next request where it may serve one."""


class Exchange:
    """A response on its way, and when its head is here: the response."""

    def __init__(self, request: Request, carrier: Carrier) -> None:
        self.request = request
        self.headers: dict[str, str] = {}
        self.status = 0
        self.is_answered = False
        """Whether the head is here."""
        self.is_whole = False
        self.may_be_followed = False
        """Whether the connection may serve another request after this."""
        self._carrier: Carrier | None = carrier
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._head_bytes = 0
        """Of the headers that are here."""
        self._endless_bytes = 0
        """Of a head whose end is not here."""
        self._left: int | None = None
        self._is_delimited = False
        self._pieces: deque[Piece] = deque()
        self._block: memoryview | None = None
        """Where a body of known length comes to lie; begun anew when it is full."""
        self._filled = self._taken = 0
        """Bytes of it."""
        self._waiting_bytes = 0
        self._worth_waking = 1
        self._is_paused = False
        self._trouble: Unfinished | None = None
        self._waiter: asyncio.Future[None] | None = None

    # ── what the connection says ──

    def arrived(self, data: bytes | memoryview) -> None:
        """Take in what came where there is no room; *data* is not kept."""
        if self.is_whole or self._trouble is not None:
            self.may_be_followed = False  # more than was asked for
            return
        self._receive_parsed(data)
        self._take_note()

    def room(self) -> memoryview | None:
        """Return where the rest of a body of known length is to be read; None where there is none.

        What was read there is told to `filled`.
        """
        if not self._left or self._trouble is not None:
            return None
        if self._block is None:
            self._block = memoryview(bytearray(min(self._left, BLOCK_BYTES)))
            self._filled = self._taken = 0
        return self._block[self._filled :]

    def filled(self, count: int) -> None:
        """Take in what was read into the room: so many bytes."""
        assert self._block is not None
        assert self._left is not None
        self._filled += count
        self._left -= count
        self._waiting_bytes += count
        if self._filled == len(self._block):
            self._pieces.append(self._block[self._taken :])
            self._block = None
        if self._left == 0:
            self._end()
        self._take_note()

    def _take_note(self) -> None:
        """Slow the sender down where too much waits, and wake the reader where it is worth it."""
        if self._waiting_bytes > READ_AHEAD_BYTES and not self._is_paused and self._carrier:
            self._is_paused = True
            self._carrier.pause()
        if self._waiting_bytes >= self._worth_waking:
            self._wake()

    def broke_off(self, error: Exception | None) -> None:
        """The connection is gone: the end of a body that has no other, else trouble."""
        if self.is_whole or self._trouble is not None:
            return
        if self.is_answered and error is None and not self._is_delimited:
            self._end()
        elif not self.is_answered:
            self.fail("the connection was closed before an answer", error)
        else:
            self.fail("the connection was closed in the middle of an answer", error)
        self._wake()

    def fail(self, words: str, error: Exception | None = None) -> None:
        """End the exchange; what came so far can still be read."""
        if not self.is_whole and self._trouble is None:
            self._trouble = Unfinished(f"{words} ({error})" if error and str(error) else words)
            self._parser = None
            self._wake()

    @property
    def is_waiting(self) -> bool:
        """Whether something is expected of the other side: a slow reader is not its fault."""
        return not (self.is_whole or self._is_paused or self._trouble is not None)

    # ── what the reader does ──

    async def head(self) -> None:
        """Wait for the head.  Raises Unfinished."""
        while not self.is_answered:
            if self._trouble is not None:
                raise self._trouble
            await self._wait()

    async def receive(self, least: int = 1) -> Piece:
        self._worth_waking = min(least, READ_AHEAD_BYTES)
        while self._waiting_bytes < self._worth_waking and not self.is_whole:
            if self._trouble is not None:
                if self._waiting_bytes:
                    break
                raise self._trouble
            self._resume()
            await self._wait()
        self._worth_waking = 1
        piece = self._next_piece()
        self._waiting_bytes -= len(piece)
        if self._waiting_bytes <= READ_AHEAD_BYTES // 2:
            self._resume()
        return piece

    def _resume(self) -> None:
        if self._is_paused and self._carrier:
            self._is_paused = False
            self._carrier.resume()

    def _next_piece(self) -> Piece:
        if self._pieces:
            return self._pieces.popleft()
        if self._block is None or self._taken == self._filled:
            return b""
        begin, self._taken = self._taken, self._filled
        return self._block[begin : self._filled]  # its rest is filled meanwhile

    async def aclose(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        self._resume()  # who comes next on this connection wants to hear
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.let_go(self)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ── reading ──

    def _receive_parsed(self, data: bytes | memoryview) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail("the service went over to another protocol")
        except httptools.HttpParserError as error:
            # What stood before the nonsense counts: its end may have been the end of the answer.
            self.may_be_followed = False
            self.fail("the answer is no HTTP", error)
        if not self.is_answered:
            self._endless_bytes += len(data)
        if max(self._head_bytes, self._endless_bytes) > MOST_HEAD_BYTES:
            self.fail(f"the answer's head is longer than {MOST_HEAD_BYTES:,} bytes")

    def _end(self) -> None:
        self.is_whole = True
        self._parser = None
        self._wake()

    # ── what the parser calls ──

    def on_message_begin(self) -> None:
        if self.is_whole:
            self.may_be_followed = False  # a second answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_answered:
            return  # a trailer
        self._head_bytes += len(name) + len(value)
        key, text = name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self.is_answered or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                self.fail("the service went over to another protocol")
            self.headers = {}  # an interim answer: the real one follows
            return
        self.status = status
        self.is_answered = True
        length = self.headers.get("content-length")
        is_chunked = "transfer-encoding" in self.headers
        self._is_delimited = is_chunked or length is not None or status in (204, 304)
        self.may_be_followed = self._parser.should_keep_alive() and self._is_delimited
        if length is not None and not is_chunked and status not in (204, 304):
            self._left = int(length)
        self._wake()

    def on_body(self, data: bytes) -> None:
        if self.is_whole:
            return  # a second answer's
        if self._left is not None:
            self._left -= len(data)
        self._pieces.append(data)
        self._waiting_bytes += len(data)

    def on_message_complete(self) -> None:
        if self.is_answered:
            self._end()
