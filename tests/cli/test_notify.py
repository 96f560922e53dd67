"""``--notify``: how a run ended, said where the user wants it, and the address said to nobody else."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batchrunner.cli.notify import notice, open_notices
from batchrunner.errors import Usage

from .acts import answers

SECRET = "s3cret-login"


@pytest.fixture
def mailbox():
    """A service that takes notices, and what it got."""
    got: list[dict[str, str]] = []

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path.startswith("/broken") else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Post) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://user:{SECRET}@127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_a_run_says_how_it_ended_and_its_address_to_nobody(batch, fake, mailbox):
    address, got = mailbox
    batch.write("fox", "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")

    outcome = batch.run("--json", "--notify", f"{address}/ok")

    written = [path.read_bytes() for path in batch.folder.rglob("*") if path.is_file()]
    assert outcome.code == 1
    assert [message["title"] for message in got] == [
        f"batchrunner: {batch.folder.name} is done, with failures"
    ]
    assert "1 succeeded · 1 failed" in got[0]["message"]
    assert SECRET not in outcome.out + outcome.err
    assert not any(SECRET.encode() in content for content in written)


def test_a_service_that_fails_is_told_and_changes_no_exit_code(batch, fake, mailbox):
    address, _ = mailbox
    batch.write("fox")

    outcome = batch.run(BATCHRUNNER_NOTIFY=f"{address}/broken")

    assert outcome.code == 0
    assert "--notify: a service did not take the message" in outcome.err
    assert SECRET not in outcome.err


def test_an_address_of_no_service_is_refused_before_anything_is_sent(batch, fake):
    batch.write("fox")

    outcome = batch.run("--notify", f"nobody://{SECRET}@host")

    assert outcome.code == 2
    assert "address 1 (nobody) is none that a service takes; nothing was sent" in outcome.err
    assert SECRET not in outcome.err
    assert fake.posts("fox") == 0


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(Usage) as told:
        open_notices(["ntfy://ntfy.example.com/topic"])

    assert (told.value.message, told.value.hint) == (
        "--notify needs apprise", "pip install 'batchrunner[notify]'"
    )  # fmt: skip


def test_a_stopped_run_says_why():
    title, body = notice(
        Path("night"),
        {"exit_code": 69, "states": {"succeeded": 3, "pending": 2}, "reason": "the service is away",
         "cost_usd": 0.3},
    )  # fmt: skip

    assert title == "batchrunner: night stopped"
    assert body.splitlines()[:3] == ["3 succeeded · 2 pending", "the service is away", "cost: 0.30 USD"]
