"""Which requests come over a connection?  httptools reads them, as it reads the answers on the other side."""

from __future__ import annotations

from collections import deque
from typing import Final

import httptools

from .wire import Request

MOST_HEAD_BYTES: Final = 1 << 16


class NotHttp(Exception):
    """Whoever speaks there does not speak HTTP/1.1."""


class Incoming:
    """The requests of one connection, as far as they are here."""

    def __init__(self) -> None:
        self.may_be_followed = True
        """Whether the connection may serve another request after the last one taken."""
        self.waits_to_go_on = False
        """Whether the other side holds a body back until it is told to send it."""
        self._parser = httptools.HttpRequestParser(self)
        self._whole: deque[tuple[Request, bool]] = deque()
        self._trouble: NotHttp | None = None
        self._left: int | None = None
        self._head_bytes = 0
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in what came."""
        if self._left is not None:
            self._take_body(data, self._left)
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:  # answered in HTTP/1.1 all the same, and that is the end
            self._take_body(data[offer.args[0] :], self._length())
        except httptools.HttpParserError as error:
            self._trouble = NotHttp(str(error))
        if self._head_bytes > MOST_HEAD_BYTES:
            self._trouble = NotHttp("a head that does not end")

    def take(self) -> Request | None:
        """Return the next request that is here as a whole.  Raises NotHttp where none can come any more."""
        if not self._whole:
            if self._trouble is not None:
                raise self._trouble
            return None
        request, self.may_be_followed = self._whole.popleft()
        return request

    # ── what the parser says ──

    def on_message_begin(self) -> None:
        self._target, self._headers, self._body = b"", {}, bytearray()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip(" \t")

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        expects = self._headers.get("expect", "").lower() == "100-continue"
        self.waits_to_go_on = expects and self._speaks_it_all()

    def on_body(self, data: bytes) -> None:
        self._head_bytes = 0
        self._body += data

    def on_message_complete(self) -> None:
        self._head_bytes, self.waits_to_go_on = 0, False
        if not self._parser.should_upgrade():  # else the parser takes no body
            self._is_whole(stays=self._parser.should_keep_alive() and self._speaks_it_all())

    def _is_whole(self, *, stays: bool) -> None:
        method, target = self._parser.get_method().decode("ascii"), self._target.decode("latin-1")
        request = Request.parse(method, target, self._headers, bytes(self._body), scheme="http")
        self._whole.append((request, stays))

    def _take_body(self, data: bytes, left: int) -> None:
        """Take in the body, of which so much is *left*, of a request that offers to speak something else."""
        self._body += data[:left]
        self._left = max(0, left - len(data))
        if not self._left and self._trouble is None:
            self._is_whole(stays=False)
            self._trouble = NotHttp("more than was announced")

    def _length(self) -> int:
        """Return the length of that body."""
        length = self._headers.get("content-length", "0")
        if not length.isdecimal() or "transfer-encoding" in self._headers:
            self._trouble = NotHttp("a body of no known length")
            return 0
        return int(length)

    def _speaks_it_all(self) -> bool:
        """Return whether the other side knows what HTTP/1.1 has and 1.0 has not."""
        return self._parser.get_http_version() != "1.0"
