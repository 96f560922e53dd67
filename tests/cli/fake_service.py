"""A second opinion on the service: a small HTTP server written from the API page alone.

It shares nothing with the product's simulator.  Every exchange may be scripted (per endpoint and prompt), and
every request that arrives is kept, with its token and body, before anything is answered.  Films come from a
second port: another origin, which must never see a token.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .acts import FILM, Act, answers, status, usual

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    endpoint: str
    method: str
    path: str
    token: str | None
    headers: dict[str, str]
    body: dict[str, Any]
    text: str
    """The prompt it is about; empty where there is none."""
    at: float


@dataclass(slots=True, kw_only=True)
class Request:
    """One accepted, and so paid, submission."""

    id: str
    text: str
    body: dict[str, Any]
    looks: int = 0


class Exchange:
    """One request and the ways to answer it."""

    def __init__(self, fake: FakeService, handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        self.fake = fake
        self.seen = seen
        self.request = fake.requests.get(_id_in(seen.path))
        self._handler = handler

    def accept(self) -> Request:
        """Take the submission: from here on it is paid for."""
        return self.fake.take(self.seen)

    def usual(self) -> None:
        """Answer as the API page describes."""
        self.fake.usual[self.seen.endpoint](self)

    def reply(self, status: int, body: object = b"", **headers: str) -> None:
        """Answer whole; *headers* are written with underscores."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.start(status, {"Content-Length": str(len(content)), **named})
        self.write(content)

    def start(self, status: int, headers: dict[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def write(self, content: bytes) -> None:
        self._handler.wfile.write(content)
        self._handler.wfile.flush()

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection where it stands; with *reset*, by an RST."""
        self._handler.close_connection = True
        if reset:
            self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self._handler.connection.shutdown(socket.SHUT_RDWR)
        self._handler.connection.close()

    def hold(self, seconds: float = 60) -> None:
        """Say nothing for *seconds* or until the fake goes away."""
        self.fake.closing.wait(seconds)
        self._handler.close_connection = True


@dataclass(slots=True)
class _Rule:
    endpoint: str
    text: str | None
    acts: list[Act]
    always: bool = False

    def matches(self, seen: Seen) -> bool:
        return bool(self.acts) and seen.endpoint == self.endpoint and self.text in (None, seen.text)


@dataclass(slots=True, eq=False)
class FakeService:
    """The service; use it as a context manager."""

    looks_until_done: int = 1
    """How many looks at ``/status`` see it unfinished."""
    cost: float = 0.07
    entry: dict[str, Any] = field(default_factory=dict)
    """What the catalogue says besides the id: nothing about money."""
    balance_usd: float | None = None
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    requests: dict[str, Request] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)
    usual: dict[str, Act] = field(init=False)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.usual = {"submit": _submit, "status": _status, "result": _result, "model": _model, "film": _film,
                      "balance": _balance, "models": answers(200, {"models": [], "total": 0}),
                      "cancel": answers(202, {"outcome": "not_cancellable"}),
                      "nowhere": answers(404, {"error_code": 404001, "error_message": "?"})}  # fmt: skip

    def __enter__(self) -> FakeService:
        self.closing.clear()
        api = _listen(partial(_Handler, self), self.port)
        self.port = api.server_port
        self._servers = [api, _listen(partial(_Handler, self), 0)]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def films(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    # ── scripts ──

    def script(self, endpoint: str, *acts: Act, text: str | None = None) -> None:
        """Answer the next calls of *endpoint* (about the prompt *text*) so, one act a call, in order."""
        self._rules.append(_Rule(endpoint, text, list(acts)))

    def always(self, endpoint: str, act: Act, text: str | None = None) -> None:
        """Answer every further call of *endpoint* (about *text*) so."""
        self._rules.append(_Rule(endpoint, text, [act], always=True))

    def mend(self) -> None:
        """Forget every script."""
        with self._lock:
            self._rules.clear()

    # ── what was seen ──

    def calls(self, endpoint: str, text: str | None = None) -> list[Seen]:
        with self._lock:
            return [seen for seen in self.seen if seen.endpoint == endpoint and text in (None, seen.text)]

    def posts(self, text: str | None = None) -> int:
        return len(self.calls("submit", text))

    @property
    def paid(self) -> Counter[str]:
        """How often each prompt was accepted."""
        with self._lock:
            return Counter(request.text for request in self.requests.values())

    # ── inside ──

    def take(self, seen: Seen) -> Request:
        with self._lock:
            request = Request(id=f"rq-{len(self.requests) + 1:04}", text=seen.text, body=seen.body)
            self.requests[request.id] = request
        return request

    def act_for(self, seen: Seen) -> Act:
        """Remember the request and return what is to be done about it."""
        with self._lock:
            self.seen.append(seen)
            for rule in self._rules:
                if rule.matches(seen):
                    return rule.acts[0] if rule.always else rule.acts.pop(0)
        return usual

    def text_of(self, path: str, body: dict[str, Any]) -> str:
        request = self.requests.get(_id_in(path))
        return request.text if request else str(body.get("text", ""))


def _submit(exchange: Exchange) -> None:
    request = exchange.accept()
    links = {f"{word}_url": f"{exchange.fake.url}/v1/requests/{request.id}/{word}"
             for word in ("status", "result", "cancel")}  # fmt: skip
    exchange.reply(200, {"request_id": request.id, **links})


def _status(exchange: Exchange) -> None:
    request = exchange.request
    if request is None:
        return exchange.reply(404, {"error_code": 404001, "error_message": "ResourceNotFound"})
    request.looks += 1
    if request.looks > exchange.fake.looks_until_done:
        return status("completed")(exchange)
    return status("in_progress" if request.looks > 1 else "in_queue", queue_position=1)(exchange)


def _result(exchange: Exchange) -> None:
    request = exchange.request
    if request is None:
        return exchange.reply(404, {"error_code": 404001, "error_message": "ResourceNotFound"})
    output = {"video": f"{exchange.fake.films}/out/{request.id}/output.mp4"}
    echo = {"images": ["https://elsewhere.example.com/echoed.png"]}
    return status("succeeded", output=output, input=echo, cost=exchange.fake.cost)(exchange)


def _model(exchange: Exchange) -> None:
    entry = {"model_id": MODEL, "display_name": "Seedance", "kind": "model", "categories": []}
    exchange.reply(200, {**entry, **exchange.fake.entry})


def _balance(exchange: Exchange) -> None:
    left = exchange.fake.balance_usd
    if left is None:
        return exchange.reply(404, {"error_code": 404001, "error_message": "?"})
    return exchange.reply(
        200, {"balance_usd": left, "balance_microdollars": round(left * 1e6), "currency": "USD"}
    )


def _film(exchange: Exchange) -> None:
    exchange.reply(200, film_of(exchange.seen.text), Content_Type="video/mp4")


def film_of(text: str) -> bytes:
    """The film of a prompt: the same picture, with bytes of its own in a box every player skips."""
    note = text.encode()
    return FILM + struct.pack(">I4s", 8 + len(note), b"free") + note


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def __init__(self, fake: FakeService, *args: Any) -> None:
        self._fake = fake
        super().__init__(*args)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(json.loads(content or b"{}"))

    def do_GET(self) -> None:
        self._answer({})

    def _answer(self, body: dict[str, Any]) -> None:
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(
            endpoint=_endpoint(self.command, path), method=self.command, path=self.path,
            token=self.headers.get("Authorization"), headers=headers, body=body,
            text=self._fake.text_of(path, body), at=time.monotonic(),
        )  # fmt: skip
        if self._fake.closing.is_set():  # a kept-alive connection must not outlive the service
            self.close_connection = True
            return
        act = self._fake.act_for(seen)
        try:
            act(Exchange(self._fake, self, seen))
        except OSError:  # the client is gone: it may have been killed
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is what many tests are about."""


def _listen(handler: Callable[..., BaseHTTPRequestHandler], port: int) -> ThreadingHTTPServer:
    return _Server(("127.0.0.1", port), handler)  # type: ignore[arg-type]


def _endpoint(method: str, path: str) -> str:
    parts = path.strip("/").split("/")
    if path.startswith("/v1/models/"):
        return "submit" if method == "POST" else "model"
    if path.startswith("/v1/requests/") and parts[-1] in ("status", "result", "cancel"):
        return parts[-1]
    if path == "/v1/models":
        return "models"
    if path == "/prod/v2/balance":
        return "balance"
    return "film" if path.startswith("/out/") else "nowhere"


def _id_in(path: str) -> str:
    parts = path.partition("?")[0].strip("/").split("/")
    return next((part for part in parts if part.startswith("rq-")), "")
