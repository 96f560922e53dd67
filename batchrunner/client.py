"""The service over HTTP: one method a call, each returning an Answer and raising nothing of the network's.

What carries them is the wire (wire/).  Kept here is which request goes where: the token to the API's origin
and nowhere else, no call of the API after a redirect, nothing twice, a submission on a fresh connection (one
that served another request may bring a false doubt, or a stray answer), at most MAX_REQUESTS at once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import quote, urljoin

import anyio
import orjson
from msgspec import Struct

from . import __version__
from ._types import Inputs, Json, RequestId
from .answers import Answer, Endpoint, Fault, Reply, classify
from .hosts import check_download_url, is_local_origin, is_private, origin_of
from .wire import Body, Piece, Request, Response, WireTrouble, read_address, wire

if TYPE_CHECKING:
    from ._httpx import httpx

PRODUCTION: Final = "https://model-api.runcomfy.net"

BALANCE: Final = "/prod/v2/balance"

BALANCE_HOST: Final = "https://api.runcomfy.net"
"""Where the official API's balance is read: one wallet for all of its products (API page, section 1.7)."""

MAX_REQUESTS: Final = 64
"""Requests at once (not jobs): a thousand jobs looked at every two seconds need some ten of them."""

MAX_SUBMISSIONS: Final = 16
"""Submissions at once: so many a sudden outage can leave in doubt before anything is known of it."""

MAX_KNOWN: Final = 4_096
"""Requests without a body that are kept: jobs in flight are looked at again and again."""

MAX_BODY_BYTES: Final = 4 << 20
"""A JSON answer larger than this is not read to its end."""

MAX_REDIRECTS: Final = 5

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

JSON_BODY: Final = (("Content-Type", "application/json"),)

SHORTEST_SECRET: Final = 8
"""Characters; striking a shorter token out of an answer could hit an honest word in it."""

SLOWEST_BYTES_S: Final = 1_000
"""A download that is slower for as long as it may be silent is given up: it would hold a slot for days."""

USER_AGENT: Final = f"batchrunner/{__version__}"

SIMULATOR_HEADER: Final = "x-batchrunner-simulator"


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds of silence after which a call is given up."""

    connect_s: float = 10.0
    post_s: float = 90.0
    get_s: float = 20.0
    download_s: float = 60.0

    @classmethod
    def all(cls, seconds: float) -> Timeouts:
        return cls(connect_s=min(10.0, seconds), post_s=seconds, get_s=seconds, download_s=seconds)


class DownloadRefused(Exception):
    """The link leads somewhere a download may not go."""


class DownloadBroken(Exception):
    """The transfer failed on the way; what arrived so far may be gone on from."""


class Download(Struct):
    """An answered download whose body is still on the wire."""

    status: int
    headers: Mapping[str, str]
    _response: Response

    async def chunks(self, size: int = 1 << 19) -> AsyncGenerator[Piece, None]:
        """Yield the body in pieces of about *size* bytes.  Raises DownloadBroken when the connection fails.

        What had arrived by then is yielded before: the library's own pieces would lose it.
        """
        held: list[Piece] = []
        held_bytes = 0
        broken: Exception | None = None
        body = Body(self._response)
        try:
            while piece := await body.receive(size - held_bytes):
                held.append(piece)
                held_bytes += len(piece)
                if held_bytes >= size:
                    yield _joined(held)
                    held.clear()
                    held_bytes = 0
        except WireTrouble as error:
            broken = error
        if held:
            yield _joined(held)
        if broken is not None:
            raise DownloadBroken(str(broken)) from broken


def _joined(pieces: list[Piece]) -> Piece:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Client:
    """One service, one token, one set of connections; use it as an async context manager."""

    def __init__(
        self,
        origin: str,
        token: str,
        *,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is opened before the ``async with``; *transport* replaces the network."""
        self.origin = origin_of(origin)
        self.is_local = is_local_origin(self.origin)
        self.is_stand_in = transport is not None
        """Whether what answers is no network at all."""
        self.simulated = False
        """Whether the service has said that it is a simulator."""
        self._base = origin.rstrip("/")
        self._headers = (
            ("Authorization", f"Bearer {token}"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip, deflate"),
            ("User-Agent", USER_AGENT),
        )
        self._secret = token.encode() if len(token) >= SHORTEST_SECRET else None
        self._timeouts = timeouts or Timeouts()
        self._wire = wire(is_local=self.is_local, stand_in=transport)
        self.submission_gate = anyio.Semaphore(MAX_SUBMISSIONS, fast_acquire=True)
        """To be held by the caller of `submit`, from the intent to the answer."""
        self._read_gate = anyio.Semaphore(MAX_REQUESTS, fast_acquire=True)
        self._known: dict[tuple[str, str], Request] = {}

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 5):
            await self._wire.__aexit__(kind, error, trace)

    # ── calls of the API ──

    async def submit(self, model: str, inputs: Inputs) -> Answer:
        """Submit one job: the call that costs money.  Never sent twice from here.

        To be called with `submission_gate` held: nothing is waited for between durable intent and POST.
        """
        body = json.dumps(inputs, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
        return await self._exchange(
            Endpoint.SUBMIT, self._request("POST", _model_path(model), self._timeouts.post_s, body)
        )

    async def status(self, request_id: RequestId) -> Answer:
        return await self._call(Endpoint.STATUS, "GET", f"/v1/requests/{request_id}/status")

    async def result(self, request_id: RequestId) -> Answer:
        return await self._call(Endpoint.RESULT, "GET", f"/v1/requests/{request_id}/result?include_cost=true")

    async def cancel(self, request_id: RequestId) -> Answer:
        return await self._call(Endpoint.CANCEL, "POST", f"/v1/requests/{request_id}/cancel")

    async def model(self, model: str) -> Answer:
        """Read a model's catalogue entry: free, so also the probe for a sign of life."""
        return await self._call(Endpoint.MODEL, "GET", _model_path(model))

    async def models(self, *, limit: int, offset: int) -> Answer:
        """Read a page of the catalogue, without schemas."""
        return await self._call(Endpoint.MODEL, "GET", f"/v1/models?limit={limit}&offset={offset}")

    async def balance(self) -> Answer | None:
        """Read what is left on the account; None where no host is known that may be asked with this token."""
        if self.origin == PRODUCTION:
            return await self._call(Endpoint.BALANCE, "GET", BALANCE_HOST + BALANCE)
        if not self.is_stand_in and not self.is_local:
            return None
        return await self._call(Endpoint.BALANCE, "GET", BALANCE)

    async def _call(self, endpoint: Endpoint, method: str, path: str) -> Answer:
        request = self._known.get((method, path))
        if request is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            request = self._known[method, path] = self._request(method, path, self._timeouts.get_s)
        gate = self._read_gate
        if gate.value:
            gate.acquire_nowait()
        else:
            await gate.acquire()
        try:
            return await self._exchange(endpoint, request)
        finally:
            gate.release()

    def _request(self, method: str, path: str, silence_s: float, body: bytes | None = None) -> Request:
        """Return a call of the API; one with a body is a submission, on a connection of its own."""
        is_submission = body is not None
        return Request(
            method=method,
            url=path if path.startswith(BALANCE_HOST) else self._base + path,
            headers=(*self._headers, *(JSON_BODY if is_submission else ())),
            body=body or b"",
            keep_alive=not is_submission,
            connect_s=self._timeouts.connect_s,
            silence_s=silence_s,
            # An answer that comes in drops must end as well.
            whole_s=self._timeouts.connect_s + silence_s,
        )

    async def _exchange(self, endpoint: Endpoint, request: Request) -> Answer:
        try:
            return classify(endpoint, await self._read(await self._wire.send(request)))
        except WireTrouble as trouble:
            return classify(endpoint, trouble.fault, str(trouble))
        except Exception as error:  # whatever it is: it must not pass for an answer, nor end the run
            return classify(endpoint, Fault.LOST, f"{type(error).__name__}: {error}")

    async def _read(self, response: Response) -> Reply:
        try:
            self.simulated = self.simulated or SIMULATOR_HEADER in response.headers
            body = Body(response)
            raw = bytes(await body.receive())
            while len(raw) <= MAX_BODY_BYTES and (more := await body.receive()):
                raw += more
            return _reply(response, self._without_token(raw))
        finally:
            await response.aclose()

    def _without_token(self, raw: bytes) -> bytes:
        """Strike the token out of a body that echoes it: what the service says is logged and shown."""
        return raw if self._secret is None else raw.replace(self._secret, b"[token]")

    # ── downloads ──

    @asynccontextmanager
    async def download(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Download]:
        """Open *url* without the token, following redirects that lead where a download may go.

        Raises DownloadRefused for a link that may not be followed and DownloadBroken for a failed exchange.
        """
        sent = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        try:
            response = await self._follow(url, tuple(sent.items()))
        except WireTrouble as error:
            raise DownloadBroken(str(error)) from error
        try:
            yield Download(response.status, response.headers, response)
        finally:
            await response.aclose()

    async def _follow(self, url: str, headers: tuple[tuple[str, str], ...]) -> Response:
        connect_s, silence_s = self._timeouts.connect_s, self._timeouts.download_s
        for _ in range(MAX_REDIRECTS + 1):
            await self._check(url)
            response = await self._wire.send(
                Request(
                    method="GET",
                    url=url,
                    headers=headers,
                    connect_s=connect_s,
                    silence_s=silence_s,
                    least_bytes_s=SLOWEST_BYTES_S,
                )
            )
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            url = urljoin(url, response.headers["location"])
            await response.aclose()
        raise DownloadRefused(f"more than {MAX_REDIRECTS} redirects")

    async def _check(self, url: str) -> None:
        """Refuse an address inside the user's own network, unless the API itself is there."""
        reason = check_download_url(url, api_is_local=self.is_local or self.is_stand_in)
        if reason is not None:
            raise DownloadRefused(reason)
        if self.is_local or self.is_stand_in:
            return
        host, port = read_address(url)[1:3]
        try:
            found = await anyio.getaddrinfo(host, port or 443)
        except OSError:
            return  # no name service here (a proxy may have one): the client will say what is wrong
        if any(is_private(str(address[4][0])) for address in found):
            raise DownloadRefused(f"{host} is an address inside your own network")


def _model_path(model: str) -> str:
    return f"/v1/models/{quote(model, safe='/')}"


def _reply(response: Response, raw: bytes) -> Reply:
    retry_after_s = _retry_after(response.headers.get("retry-after"))
    try:
        body = _parsed(raw)
    except (ValueError, RecursionError):
        excerpt = " ".join(raw[:300].decode("utf-8", "replace").split())
        return Reply(status=response.status, readable=False, retry_after_s=retry_after_s, excerpt=excerpt)
    return Reply(status=response.status, body=body, retry_after_s=retry_after_s)


def _parsed(raw: bytes) -> Json:
    """Return the JSON in *raw*.  Half a surrogate pair, which no ledger can store, becomes a ``?``.

    What is stricter and ten times as fast goes first; the json module takes all that people call JSON.
    """
    try:
        return cast(Json, orjson.loads(raw))
    except orjson.JSONDecodeError:
        body: Json = json.loads(raw)
    if b"\\ud" in raw.lower():
        body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    return body


def _retry_after(value: str | None) -> float | None:
    """Return Retry-After in seconds, given as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), 86_400))
    from email.utils import parsedate_to_datetime  # dear to import, and rarely met

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(86_400.0, max(0.0, (moment - datetime.now(UTC)).total_seconds()))
