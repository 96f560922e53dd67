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
        self._head_bytes = 0
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in what came.  Raises NotHttp."""
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered in HTTP/1.1 all the same, and that is the end
        except httptools.HttpParserError as error:
            raise NotHttp(str(error)) from None
        if self._head_bytes > MOST_HEAD_BYTES:
            raise NotHttp("a head that does not end")

    def take(self) -> Request | None:
        """Return the next request that is here as a whole."""
        if not self._whole:
            return None
        request, self.may_be_followed = self._whole.popleft()
        return request

    # ── what the parser says ──

    def on_message_begin(self) -> None:
        self._target, self._headers, self._body = b"", {}, bytearray()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self.waits_to_go_on = self._headers.get("expect", "").lower() == "100-continue"

    def on_body(self, data: bytes) -> None:
        self._head_bytes = 0
        self._body += data

    def on_message_complete(self) -> None:
        self._head_bytes, self.waits_to_go_on = 0, False
        method, target = self._parser.get_method().decode("ascii"), self._target.decode("latin-1")
        request = Request.parse(method, target, self._headers, bytes(self._body), scheme="http")
        stays = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._whole.append((request, stays))
