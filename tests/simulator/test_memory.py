"""What was accepted is remembered, whatever happens to the process."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from msgspec.structs import replace

from batchrunner.simulator import FileMemory, SimulatorSettings, open_simulator, parse_fault
from batchrunner.simulator.settings import Films
from batchrunner.simulator.wire import Answer, Request

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
SETTINGS = SimulatorSettings(slots=2, service_time_s=10.0, films=Films.TINY, balance_usd=10.0)

ACCEPTING_FOR_EVER = f"""
import sys
from pathlib import Path
from batchrunner.simulator import open_simulator
from batchrunner.simulator.wire import Request
service = open_simulator(state=Path(sys.argv[1]))
for number in range(1_000_000):
    body = b'{{"text": "prompt %d"}}' % number
    request = Request(method="POST", path="/v1/models/{MODEL}", headers={{"authorization": "x"}}, body=body)
    reply = service.handle(request, float(number))
    sys.stdout.write(reply.body.decode() + "\\n")
    sys.stdout.flush()
"""


def ask(service, method: str, path: str, now: float, body: bytes = b"") -> Answer:
    reply = service.handle(Request(method=method, path=path, headers={"authorization": "x"}, body=body), now)
    assert isinstance(reply, Answer)
    return reply


def linked(service) -> str:
    """The path of the first request's film, as /result gives it."""
    result = ask(service, "GET", f"/v1/requests/{service.accepted[0].request_id}/result", now=1.0)
    return unquote(urlsplit(json.loads(result.body)["output"]["video"]).path)


def test_every_acceptance_that_was_answered_survives_a_sigkill(tmp_path):
    state = tmp_path / "state.sqlite"
    command = [sys.executable, "-c", ACCEPTING_FOR_EVER, str(state)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        answered = [process.stdout.readline() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        answered += process.stdout.readlines()
    answered = [line for line in answered if line.endswith("\n")]

    reopened = open_simulator(state=state)
    remembered = {record.request_id for record in reopened.accepted}
    reopened.close()

    assert len(answered) >= 50
    assert all(any(request_id in line for request_id in remembered) for line in answered)
    assert len(answered) <= len(remembered) <= len(answered) + 1  # one may have been on its way


def test_a_reopened_service_goes_on_as_if_nothing_had_been(tmp_path):
    state = tmp_path / "state.sqlite"
    steady, broken = open_simulator(SETTINGS), open_simulator(SETTINGS, state=state)
    for service in (steady, broken):
        for number in range(5):
            body = b'{"text": "prompt %d"}' % (number % 2)
            ask(service, "POST", f"/v1/models/{MODEL}", now=float(number), body=body)
        waiting = service.accepted[-1].request_id
        ask(service, "POST", f"/v1/requests/{waiting}/cancel", now=5.0)
    broken.close()

    reopened = open_simulator(SETTINGS, state=state)
    for service in (steady, reopened):
        ask(service, "POST", f"/v1/models/{MODEL}", now=6.0, body=b'{"text": "prompt 0"}')

    assert reopened.accepted == steady.accepted
    balances = [ask(service, "GET", "/prod/v2/balance", now=7.0).body for service in (steady, reopened)]
    assert balances[0] == balances[1]
    reopened.close()


def test_a_dead_link_stays_dead_after_a_restart(tmp_path):
    state = tmp_path / "state.sqlite"
    at_once = replace(SETTINGS, service_time_s=0.0)
    first = open_simulator(at_once, state=state, faults=[parse_fault("file dead")])
    ask(first, "POST", f"/v1/models/{MODEL}", now=0.0, body=b"{}")
    link = linked(first)
    killed = ask(first, "GET", link, now=1.0)
    first.close()

    reopened = open_simulator(at_once, state=state)

    assert (killed.status, ask(reopened, "GET", link, now=2.0).status) == (404, 404)
    assert linked(reopened) != link
    reopened.close()


def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(tmp_path):
    state = tmp_path / "state.sqlite"
    state.write_text("my notes, which are not a database at all")

    with pytest.raises(sqlite3.DatabaseError):
        FileMemory(state)

    assert state.read_text().startswith("my notes")
