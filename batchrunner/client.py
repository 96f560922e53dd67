"""The service over HTTP: one method a call, each returning an Answer and raising nothing of the network's.

Requests, responses and errors are httpx's; what carries them is transport.py (or, through a proxy, httpx
itself).  Kept here are the rules that belong to the wire: the token goes to the API's origin and nowhere
else, API calls follow no redirect, nothing is retried here or below, a submission travels on a fresh
connection (a stale kept-alive one would turn into a false doubt), at most MAX_REQUESTS are open at once.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeAlias, cast
from urllib.parse import quote, urljoin

import anyio

from . import __version__
from ._httpx import httpx
from ._types import Inputs, Json, RequestId
from .answers import Answer, Endpoint, Fault, Reply, classify
from .hosts import check_download_url, is_local_origin, is_private, origin_of

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

SHORTEST_SECRET: Final = 8
"""Characters; striking a shorter token out of an answer could hit an honest word in it."""

USER_AGENT: Final = f"batchrunner/{__version__}"

SIMULATOR_HEADER: Final = "x-batchrunner-simulator"

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


Line: TypeAlias = Callable[[httpx.Request], Awaitable[httpx.Response]]
"""Sends one request, once, and gives its answer, whose body is still on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
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


@dataclass(slots=True)
class Download:
    """An answered download whose body is still on the wire."""

    status: int
    headers: Mapping[str, str]
    _response: httpx.Response

    async def chunks(self, size: int = 1 << 19) -> AsyncGenerator[bytes, None]:
        """Yield the body in pieces of about *size* bytes.  Raises DownloadBroken when the connection fails.

        What had arrived by then is yielded before: the library's own pieces would lose it.
        """
        held: list[bytes] = []
        held_bytes = 0
        broken: Exception | None = None
        try:
            async for chunk in _body(self._response):
                held.append(chunk)
                held_bytes += len(chunk)
                if held_bytes >= size:
                    yield b"".join(held)
                    held.clear()
                    held_bytes = 0
        except (httpx.HTTPError, httpx.StreamError) as error:
            broken = error
        if held:
            yield b"".join(held)
        if broken is not None:
            raise DownloadBroken(_words(broken)) from broken


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
        self._headers = httpx.Headers(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": USER_AGENT,
            }
        )
        self._secret = token.encode() if len(token) >= SHORTEST_SECRET else None
        self._timeouts = timeouts or Timeouts()
        self._transport = transport
        self.submission_gate = anyio.Semaphore(MAX_SUBMISSIONS)
        """To be held by the caller of `submit`, from the intent to the answer."""
        self._read_gate = anyio.Semaphore(MAX_REQUESTS, fast_acquire=True)
        self._known: dict[tuple[str, str], httpx.Request] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._reads = await self._open(MAX_REQUESTS, keep_alive=True)
        self._submissions = await self._open(MAX_SUBMISSIONS, keep_alive=False)
        self._downloads = await self._open(None, keep_alive=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 5):
            await self._stack.aclose()

    async def _open(self, connections: int | None, *, keep_alive: bool) -> Line:
        """Return a line of so many connections at once (None: any number)."""
        if self._transport is not None:
            return (await self._stack.enter_async_context(self._transport)).handle_async_request
        from . import transport  # a run's only: importing it takes longer than `status` does

        # Proxies of the environment are for the outside only.
        if not self.is_local and transport.proxies_are_set():
            kept = connections if keep_alive else 0
            client = httpx.AsyncClient(
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=kept),
                verify=ssl.create_default_context(),
                follow_redirects=False,
            )
            return partial((await self._stack.enter_async_context(client)).send, stream=True)
        line = transport.pooled(connections or 0, keep_alive=keep_alive)
        return (await self._stack.enter_async_context(line)).handle_async_request

    # ── calls of the API ──

    async def submit(self, model: str, inputs: Inputs) -> Answer:
        """Submit one job: the call that costs money.  Never sent twice from here.

        To be called with `submission_gate` held: nothing is waited for between durable intent and POST.
        """
        body = json.dumps(inputs, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
        headers = httpx.Headers(self._headers)
        headers["Content-Type"] = "application/json"
        request = self._request("POST", _model_path(model), headers, self._timeouts.post_s, body)
        return await self._exchange(Endpoint.SUBMIT, self._submissions, request, self._timeouts.post_s)

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
        if self._transport is None and not self.is_local:
            return None
        return await self._call(Endpoint.BALANCE, "GET", BALANCE)

    async def _call(self, endpoint: Endpoint, method: str, path: str) -> Answer:
        silence_s = self._timeouts.get_s
        request = self._known.get((method, path))
        if request is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            request = self._known[method, path] = self._request(method, path, self._headers, silence_s)
        async with self._read_gate:
            return await self._exchange(endpoint, self._reads, request, silence_s)

    def _request(
        self, method: str, path: str, headers: httpx.Headers, silence_s: float, body: bytes | None = None
    ) -> httpx.Request:
        timeout = self._timeout(silence_s)
        url = path if path.startswith(BALANCE_HOST) else self._base + path
        return httpx.Request(method, url, headers=headers, content=body, extensions=timeout)

    def _timeout(self, silence_s: float) -> dict[str, dict[str, float | None]]:
        timeout = httpx.Timeout(silence_s, connect=self._timeouts.connect_s, pool=None)
        return {"timeout": timeout.as_dict()}

    async def _exchange(
        self, endpoint: Endpoint, line: Line, request: httpx.Request, silence_s: float
    ) -> Answer:
        try:
            # The library's time-out is one of silence; an answer that comes in drops must end as well.
            with anyio.fail_after(self._timeouts.connect_s + silence_s):
                reply = await self._read(await line(request))
        except TimeoutError:
            return classify(endpoint, Fault.LOST, f"no whole answer within {silence_s:g} s")
        except Exception as error:  # whatever it is: it must not pass for an answer, nor end the run
            return classify(endpoint, fault_of(error), _words(error))
        return classify(endpoint, reply)

    async def _read(self, response: httpx.Response) -> Reply:
        try:
            self.simulated = self.simulated or SIMULATOR_HEADER in response.headers
            raw = bytearray()
            async for chunk in _body(response):
                raw += chunk
                if len(raw) > MAX_BODY_BYTES:
                    break
            return _reply(response, self._without_token(bytes(raw)))
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
            response = await self._follow(url, sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DownloadBroken(_words(error)) from error
        try:
            yield Download(response.status_code, response.headers, response)
        finally:
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 1):
                await response.aclose()

    async def _follow(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        timeout = self._timeout(self._timeouts.download_s)
        for _ in range(MAX_REDIRECTS + 1):
            await self._check(url)
            response = await self._downloads(httpx.Request("GET", url, headers=headers, extensions=timeout))
            if not response.has_redirect_location:
                return response
            url = urljoin(url, response.headers["location"])
            await response.aclose()
        raise DownloadRefused(f"more than {MAX_REDIRECTS} redirects")

    async def _check(self, url: str) -> None:
        """Refuse an address inside the user's own network, unless the API itself is there."""
        reason = check_download_url(url, api_is_local=self.is_local or self._transport is not None)
        if reason is not None:
            raise DownloadRefused(reason)
        if self.is_local or self._transport is not None:
            return
        parsed = httpx.URL(url)
        try:
            found = await anyio.getaddrinfo(parsed.host, parsed.port or 443)
        except OSError:
            return  # no name service here (a proxy may have one): the client will say what is wrong
        if any(is_private(str(address[4][0])) for address in found):
            raise DownloadRefused(f"{parsed.host} is an address inside your own network")


def fault_of(error: Exception) -> Fault:
    """Return what a transport exception says of the exchange; an unlisted one counts as lost."""
    return next((FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS), Fault.LOST)


def _body(response: httpx.Response) -> AsyncIterable[bytes]:
    """Return the pieces of a body: as they come where nothing has to be decoded."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return response.aiter_bytes()
    return cast(httpx.AsyncByteStream, response.stream)


def _model_path(model: str) -> str:
    return f"/v1/models/{quote(model, safe='/')}"


def _reply(response: httpx.Response, raw: bytes) -> Reply:
    retry_after_s = _retry_after(response.headers.get("retry-after"))
    try:
        body = _parsed(raw)
    except (ValueError, RecursionError):
        excerpt = " ".join(raw[:300].decode("utf-8", "replace").split())
        return Reply(
            status=response.status_code, readable=False, retry_after_s=retry_after_s, excerpt=excerpt
        )
    return Reply(status=response.status_code, body=body, retry_after_s=retry_after_s)


def _parsed(raw: bytes) -> Json:
    """Return the JSON in *raw*.  Half a surrogate pair, which no ledger can store, becomes a ``?``."""
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
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(86_400.0, max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _words(error: Exception) -> str:
    """Return a short reason; some of the library's exceptions carry no text of their own."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
