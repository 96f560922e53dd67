"""One owner and one service a folder."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from .command import FAST, wait_until
from .fake_service import FakeService


@pytest.fixture
def running(batch, fake):
    """A run that waits for its film."""
    batch.write("fox")
    fake.looks_until_done = 10**9
    process = batch.start_run()
    wait_until(lambda: fake.calls("status"))
    return process


def test_a_second_run_is_73_and_names_the_owner(batch, fake, running):
    outcome = batch.run("--retry", "unknown")

    owner = json.loads((batch.folder / "batchrunner.lock").read_text())
    assert outcome.code == 73
    assert str(running.pid) in outcome.err
    assert owner["pid"] == running.pid
    assert {"pid", "host", "started_at"} <= set(owner)
    assert fake.posts() == 1


def test_reading_needs_no_lock(batch, running):
    assert batch.status()["states"]["submitted"] == 1
    assert batch.live()["fox"]["status"] == "submitted"
    assert batch.plan()["collect"] == 1


def test_a_dead_owner_owns_nothing(batch, fake, running):
    running.send_signal(signal.SIGKILL)
    running.wait()
    fake.looks_until_done = 1

    assert batch.run().code == 0
    assert fake.posts() == 1


def test_a_folder_copied_without_its_latest_commits_is_refused_and_nothing_is_paid_again(
    batch, fake, running
):
    running.send_signal(signal.SIGKILL)
    running.wait()
    copied = batch.home / "copied"
    shutil.copytree(batch.folder, copied, ignore=shutil.ignore_patterns("*-wal", "*-shm"))

    outcome = batch.call("run", batch.manifest, "-o", copied, "--base-url", fake.url, *FAST)

    assert outcome.code == 73
    assert fake.posts() == 1


def test_a_folder_that_was_closed_well_may_be_copied_and_moved(batch, fake):
    batch.write("fox", "owl")
    batch.run("--limit", 1)
    moved = batch.home / "moved"
    batch.folder.rename(moved)

    outcome = batch.call("run", batch.manifest, "-o", moved, "--base-url", fake.url, *FAST)

    assert outcome.code == 0
    assert fake.paid == {"fox": 1, "owl": 1}


@pytest.mark.parametrize("command", ["run", "resume", "plan"])
def test_another_service_is_73_and_both_are_named(batch, fake, command):
    batch.write("fox", "owl")
    batch.run("--limit", 1)
    with FakeService() as other:
        where = [batch.folder] if command == "resume" else [batch.manifest, "-o", batch.folder]
        outcome = batch.call(command, *where, "--base-url", other.url)

    assert outcome.code == 73
    assert fake.url in outcome.err
    assert other.url in outcome.err
    assert other.seen == []


def test_a_rehearsal_stays_one_and_the_real_service_never_meets_it(batch, fake):
    batch.write({"id": "fox", "text": "fox", "duration": 2, "resolution": "480p"})
    order = ["run", batch.manifest, "-o", batch.folder, *FAST]

    rehearsed = batch.call(*order, "--simulate", RUNCOMFY_API_TOKEN="")
    real = batch.call(*order, "--base-url", fake.url)
    going_on = batch.call(*order, RUNCOMFY_API_TOKEN="")

    assert (rehearsed.code, real.code, going_on.code) == (0, 73, 0)
    assert batch.status()["simulated"] is True
    assert fake.seen == []


def test_a_real_folder_never_becomes_a_rehearsal(batch, fake):
    batch.write("fox", "owl")
    batch.run("--limit", 1)

    outcome = batch.call("run", batch.manifest, "-o", batch.folder, *FAST, "--simulate")

    assert outcome.code == 73
    assert batch.states == {"succeeded": 1, "pending": 1}
