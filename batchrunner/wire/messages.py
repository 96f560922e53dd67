"""What goes over the wire, and what it means for the money when an exchange fails on the way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from types import TracebackType
from typing import ClassVar, Final, NamedTuple, Protocol, Self

from msgspec import Struct

from ..answers import Fault
from .address import PORTS, Address, read_address
from .decoding import Piece, decoder

NOT_IN_A_HEADER: Final = frozenset(chr(code) for code in (*range(9), *range(10, 32), 127))


class WireTrouble(Exception):
    """An exchange failed on the way; what it says is meant for people."""

    fault: ClassVar[Fault]


class NotSent(WireTrouble):
    """It failed before a byte of the request was handed to a connection: nothing can have arrived."""

    fault = Fault.NOT_SENT


class Unfinished(WireTrouble):
    """It failed after that: the service may have read the request, whole or in part."""

    fault = Fault.LOST


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Request(Struct, frozen=True, kw_only=True, dict=True):
    """One request, to be sent once; its bytes are made when they are first needed, and kept."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    keep_alive: bool = True
    """Whether it may travel on a connection that served another, and leave it for the next."""
    connect_s: float
    """Seconds for the connection, its handshake included."""
    silence_s: float
    """Seconds without a byte from the other side after which it is given up."""
    least_bytes_s: float = 0.0
    """Bytes a second, over *silence_s*, below which what comes is as good as silence."""
    whole_s: float | None = None
    """Seconds from sending to the end of the response, however it drips in; None: any number."""

    def slowness(self, received_bytes: int, waited_s: float) -> str | None:
        """Return the words for so little in so many seconds of waiting; None where it is enough, or too early
        to say."""
        if waited_s < self.silence_s or received_bytes >= self.least_bytes_s * waited_s:
            return None
        return f"only {received_bytes:,} bytes came in {waited_s:.3g} s"

    @cached_property
    def origin(self) -> Origin:
        """Raises NotSent where there is no way to such an address."""
        address = self._address
        if address.scheme not in PORTS or not address.host:
            raise NotSent(f"no address that can be asked: {self.url}")
        return Origin(address.scheme, address.host, address.port or PORTS[address.scheme])

    @cached_property
    def as_bytes(self) -> bytes:
        """Raises NotSent where a header cannot be sent as it is; the address goes out letter by letter."""
        address = self._address
        head = f"{self.method} {address.target} HTTP/1.1\r\nHost: {address.netloc}\r\n{_lines(self.headers)}"
        if self.body or self.method != "GET":
            head += f"Content-Length: {len(self.body)}\r\n"
        if not self.keep_alive:
            head += "Connection: close\r\n"
        try:
            return f"{head}\r\n".encode("latin-1") + self.body
        except UnicodeEncodeError:
            raise NotSent("a header holds a character that no header can") from None

    @cached_property
    def _address(self) -> Address:
        try:
            return read_address(self.url)
        except ValueError as error:
            raise NotSent(f"no address that can be asked: {error}") from error


@lru_cache(maxsize=16)
def _lines(headers: tuple[tuple[str, str], ...]) -> str:
    """Return them as they go out: those of a service's calls are the same each time.  Raises NotSent."""
    for name, value in headers:
        if not NOT_IN_A_HEADER.isdisjoint(value):
            raise NotSent(f"the header {name} holds a character that no header can")
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


class Response(Protocol):
    """A response whose head is here; its body may still be on the wire."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in small letters; what came twice is joined by commas."""

    async def receive(self, least: int = 1) -> Piece:
        """Return what comes next of the body, coded as it was sent; b"" at its end.  Raises Unfinished.

        Where many pieces are better waited for together, *least* says how many bytes are worth waking for.
        """

    async def aclose(self) -> None:
        """Let go of the connection, also in a task that is cancelled; one with an unread rest is closed."""


class Wire(Protocol):
    """Sends requests, each of them once: nothing is tried again here, and no redirect followed."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(self, request: Request) -> Response:
        """Return as soon as the head of the response is here.  Raises NotSent and Unfinished."""


class Body:
    """A response's body with its content coding undone."""

    def __init__(self, response: Response) -> None:
        self._receive = response.receive
        self._coding = response.headers.get("content-encoding", "identity").strip().lower()
        self._decoder = None if self._coding in ("identity", "") else decoder(self._coding)

    async def receive(self, least: int = 1) -> Piece:
        """Return what comes next; b"" at the end.  Raises Unfinished, also where it is coded otherwise."""
        if self._decoder is None:
            return await self._receive(least)
        try:
            while piece := await self._receive():
                if plain := self._decoder.piece(piece):
                    return plain
            return self._decoder.rest()
        except ValueError as error:
            raise Unfinished(f"the body is no {self._coding}: {error}") from error
