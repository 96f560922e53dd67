"""A way to the bucket on which a run is killed when its request is done and the answer is not back yet."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(slots=True)
class DeadlyWay:
    """Passes requests on; the first that is ``method`` and names ``part`` is carried out, and kills.

    With ``spoils`` the last byte of what goes up is another one.
    """

    server: str
    method: str = ""
    part: str = ""
    pid: int | None = None
    spoils: bool = False
    seen: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def kills(self, pid: int, method: str, part: str) -> None:
        self.pid, self.method, self.part = pid, method, part

    def count(self, method: str, part: str) -> int:
        return sum(each == method and part in path for each, path in self.seen)


@contextmanager
def deadly_way(server: str) -> Iterator[DeadlyWay]:
    way = DeadlyWay(server)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            way.seen.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if way.spoils and self.command == "PUT" and body:
                body = body[:-1] + bytes([body[-1] ^ 1])
            connection = http.client.HTTPConnection(urlsplit(way.server).netloc, timeout=20)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            if way.pid is not None and self.command == way.method and way.part in self.path:
                os.kill(way.pid, signal.SIGKILL)
                way.pid = None
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    for verb in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{verb}", Handler.handle_one)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The run at the other end may be dead."""

    served = Server(("127.0.0.1", 0), Handler)
    way.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield way
    finally:
        served.shutdown()
        served.server_close()
