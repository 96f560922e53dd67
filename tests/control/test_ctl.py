"""``ctl`` as a user has it: a run in one process, commands from others."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from batchrunner.cli import run_main
from batchrunner.control.address import LONGEST, choose_address
from batchrunner.control.serving import peer_of
from batchrunner.folder.folder import Folder
from tests.cli.acts import status
from tests.cli.command import PATIENCE_S, wait_until


@pytest.fixture
def run(batch, fake):
    """A run with one job done, one that runs for as long as the test wants, and one to come."""
    batch.write("fox", "owl", "cat")
    batch.folder = batch.home / "/".join(["deep" * 10] * 4) / "out"  # longer than any socket's path may be
    fake.always("status", status("in_progress"), text="owl")
    process = batch.start_run("--concurrency", 1)
    wait_until(lambda: listens(batch), "a run that listens")
    wait_until(lambda: "owl" in texts(fake), "the second job")
    yield process
    process.kill()
    process.communicate(timeout=PATIENCE_S)


def texts(fake) -> set[str]:
    return {seen.text for seen in fake.calls("status")}


def listens(batch, *, elsewhere_than: Path | None = None) -> bool:
    owner = Folder(batch.folder).owner()
    if owner is None or owner.control is None or not Path(owner.control).exists():
        return False
    return Path(owner.control) != elsewhere_than


def socket_of(batch) -> Path:
    owner = Folder(batch.folder).owner()
    assert owner is not None
    assert owner.control is not None
    return Path(owner.control)


def ctl(batch, *words: object):
    return batch.call("ctl", batch.folder, *words)


def log_of(batch, event: str) -> list[dict]:
    lines = map(json.loads, (batch.folder / "run.log").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def test_a_run_in_a_deep_folder_is_paused_changed_and_resumed(batch, fake, run):
    paused = ctl(batch, "pause")
    more = ctl(batch, "set", "concurrency=3", "poll-interval=0.1")
    held = ctl(batch, "status", "--json")
    posts = fake.posts()
    resumed = ctl(batch, "resume")
    wait_until(lambda: fake.posts() == posts + 1, "the third job")

    assert [outcome.code for outcome in (paused, more, held, resumed)] == [0, 0, 0, 0]
    assert "paused: nothing new is submitted" in paused.err
    assert (held.json["paused"], held.json["concurrency"], held.json["pid"]) == (True, 3, run.pid)
    assert posts == 2
    wait_until(lambda: len(log_of(batch, "control")) == 3, "the log")
    assert [json.loads(line["command"])["do"] for line in log_of(batch, "control")] == [
        "pause", "set", "resume"
    ]  # fmt: skip


def test_a_job_is_cancelled_before_it_is_paid(batch, fake, run):
    outcome = ctl(batch, "cancel", "cat")

    assert outcome.code == 0
    assert "1 cancelled before they were sent" in outcome.err
    settled = {"succeeded": 1, "submitted": 1, "cancelled": 1}
    wait_until(lambda: batch.states_now == settled, "the first film to be saved")
    assert fake.posts() == 2


WRONG = [("set",), ("set", "concurrency=0"), ("set", "concurrency"), ("set", "speed=9"), ("set", "until=12"),
         ("set", "poll-interval=soon"), ("cancel",), ("pause", "now"), ("dance",)]  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_what_makes_no_sense_is_2_and_reaches_nobody(tmp_path, words):
    assert run_main(["ctl", str(tmp_path), *words]) == 2


def test_only_the_user_may_reach_the_socket(batch, run):
    address = socket_of(batch)

    assert len(os.fsencode(address)) <= LONGEST
    assert stat.S_IMODE(address.stat().st_mode) == 0o600
    assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700


STRANGER = """
import os, socket, sys
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    try:
        connection.sendall(b'{"do": "pause"}\\n')
        print(connection.recv(999))
    except OSError:
        print("hung up")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="becoming somebody else takes root")
def test_another_user_who_reaches_the_socket_is_not_heard(batch, run):
    """Even with the folder and the socket thrown open: the run asks the system who is there."""
    address = socket_of(batch)
    shared = address.parent
    try:
        shared.chmod(0o755)
        address.chmod(0o666)
        outcome = subprocess.run(
            [sys.executable, "-c", STRANGER, address], capture_output=True, text=True, timeout=PATIENCE_S
        )
    finally:
        shared.chmod(0o700)

    assert outcome.stdout in ("b''\n", "hung up\n"), outcome
    assert ctl(batch, "status", "--json").json["paused"] is False


def test_clients_that_say_nothing_or_nonsense_hold_nobody_up(batch, run):
    address = str(socket_of(batch))
    with closing(socket.socket(socket.AF_UNIX)) as mute, closing(socket.socket(socket.AF_UNIX)) as loud:
        mute.connect(address)
        loud.connect(address)
        loud.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = loud.recv(4096)

        assert json.loads(answer)["ok"] is False
        assert ctl(batch, "status").code == 0


def test_without_a_run_it_is_66_and_says_how_to_start_one(batch, fake):
    batch.write("fox")
    batch.run()

    outcome = ctl(batch, "pause")

    assert outcome.code == 66
    assert "no run is on" in outcome.err
    assert "batchrunner resume" in outcome.err


def test_a_run_that_was_killed_is_no_run_and_the_next_one_listens_again(batch, fake, run):
    before = socket_of(batch)
    run.kill()
    run.wait(PATIENCE_S)

    dead = ctl(batch, "status")
    again = batch.start_run("--concurrency", 1)
    wait_until(lambda: listens(batch, elsewhere_than=before), "the next run")

    assert dead.code == 66
    assert ctl(batch, "status", "--json").json["pid"] == again.pid
    before.unlink(missing_ok=True)  # another run may have swept it away


def test_the_socket_is_gone_when_the_run_has_ended(batch, fake, run):
    address = socket_of(batch)
    run.terminate()
    run.wait(PATIENCE_S)

    assert not address.exists()


def test_a_copied_folder_does_not_reach_the_run_of_the_original(batch, fake, run):
    copy = batch.home / "copy"
    subprocess.run(["cp", "-r", batch.folder, copy], check=True)

    assert batch.call("ctl", copy, "pause").code == 66
    assert ctl(batch, "status", "--json").json["paused"] is False


# ── where it listens ──


def test_a_folder_that_others_may_enter_is_not_used(tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    (mine / "batchrunner").mkdir()
    (mine / "batchrunner").chmod(0o777)

    address = choose_address({"XDG_RUNTIME_DIR": str(mine)})

    assert address is None or address.parent != mine / "batchrunner"


def test_a_link_to_elsewhere_is_not_used(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "batchrunner").symlink_to(tmp_path / "elsewhere")

    address = choose_address({"XDG_RUNTIME_DIR": str(tmp_path)})

    assert address is None or address.parent != tmp_path / "batchrunner"


def test_a_runtime_folder_that_is_too_deep_is_passed_over(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir(mode=0o700)

    address = choose_address({"XDG_RUNTIME_DIR": str(deep)})

    assert address is not None
    assert not address.is_relative_to(deep)


def test_sockets_that_killed_runs_left_are_swept_up_and_no_others(tmp_path):
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    dead, fresh, alive = (choose_address(environ) for _ in range(3))
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        for address in (dead, fresh):
            with closing(socket.socket(socket.AF_UNIX)) as forgotten:
                forgotten.bind(str(address))
        listener.bind(str(alive))
        listener.listen()
        for address in (dead, alive):
            os.utime(address, (0, 0))

        choose_address(environ)

        assert [address.exists() for address in (dead, fresh, alive)] == [False, True, True]


def test_the_system_says_who_is_at_the_other_end():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with closing(ours), closing(theirs):
        assert peer_of(ours)[1] == os.getuid()
