"""The command: one line with the address, words to standard error, a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from batchrunner.cli.simulate import simulate
from batchrunner.errors import FolderUnusable, Usage

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from batchrunner.cli.simulate import simulate; simulate()"]


@contextmanager
def simulating(*flags: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    process = subprocess.Popen(
        [*COMMAND, "--films", "tiny", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ,
        **environment},
    )  # fmt: skip
    try:
        address = process.stdout.readline().strip()
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer x"}, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def submit(client: httpx.Client, text: str = "a fox") -> str:
    request_id: str = client.post(f"/v1/models/{MODEL}", json={"text": text}).json()["request_id"]
    return request_id


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends_cleanly(end):
    with simulating() as (process, client):
        submit(client)
        process.send_signal(end)
        rest, words = process.communicate(timeout=20)

    assert str(client.base_url).startswith("http://127.0.0.1:")
    assert process.returncode == 0
    assert rest == ""
    assert "accepted in all: 1" in words
    assert "Traceback" not in words


def test_what_was_accepted_before_a_sigkill_is_there_afterwards(tmp_path):
    state = str(tmp_path / "state.sqlite")
    with simulating("--state", state) as (process, client):
        request_id = submit(client)
        process.send_signal(signal.SIGKILL)
    with simulating("--state", state) as (_, client):
        status = client.get(f"/v1/requests/{request_id}/status")

    assert status.status_code == 200


def test_faults_come_from_flags_files_and_the_environment(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("- model gone\n")
    with simulating(
        "--fault", "submit answer status=418", "--faults", str(path), BATCHRUNNER_SIMULATE_PRICE="0.5"
    ) as (_, client):
        teapot = client.post(f"/v1/models/{MODEL}", json={})
        gone, entry = (client.get(f"/v1/models/{MODEL}") for _ in range(2))

    assert (teapot.status_code, gone.status_code) == (418, 404)
    assert entry.json()["base_price_usd"] == 0.5


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--fault", "submit explode"], "explode"),
        (["--service-time", "soon"], "soon"),
        (["--slots", "0"], "0"),
    ],
)
def test_a_wrong_flag_is_refused_in_words(flags, words):
    outcome = CliRunner().invoke(simulate, flags)

    assert outcome.exit_code == 2
    assert words in outcome.stderr


def test_a_taken_port_is_refused_in_words():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        outcome = CliRunner().invoke(simulate, ["--port", str(other.getsockname()[1])])

    assert isinstance(outcome.exception, Usage)
    assert "cannot listen" in outcome.exception.message


def test_a_state_file_that_is_something_else_is_refused_in_words(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes, which are not a database at all")

    outcome = CliRunner().invoke(simulate, ["--state", str(notes)])

    assert isinstance(outcome.exception, FolderUnusable)
    assert str(notes) in outcome.exception.message


def test_a_missing_file_of_faults_is_refused_in_words(tmp_path):
    outcome = CliRunner().invoke(simulate, ["--faults", str(tmp_path / "none.yaml")])

    assert isinstance(outcome.exception, Usage)
    assert "none.yaml" in outcome.exception.message


def test_the_help_names_every_kind_of_fault():
    from batchrunner.simulator.faults import Do

    words = CliRunner().invoke(simulate, ["--help"]).output

    assert all(str(do) in words for do in Do)
