"""SIGKILL at any instant, again and again, on one folder; `make soak` does it by the hundred."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from ..cli.acts import later
from ..cli.command import finish, wait_until
from .books import assert_books_agree

KILLS = 20
CONCURRENCY = 4
SOAK_S = 40


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_twenty_kills_at_any_instant_pay_nothing_twice_and_lose_nothing(batch, fake, victim):
    names = [f"p{n:03}" for n in range(120)]
    draw = random.Random(2_026)
    batch.write(*names)
    fake.looks_until_done = 2
    fake.always("submit", later(0.05))
    fake.always("film", later(0.02))
    flags = ("--concurrency", CONCURRENCY, "--downloads", 2)
    kills, until = 0, time.monotonic() + SOAK_S
    while kills < KILLS and time.monotonic() < until:
        seen = len(fake.seen)
        victim.process = batch.start_run(*flags)
        _wait_for_life(fake, seen, victim.process)
        time.sleep(draw.random() * 0.3)
        victim.kill()
        victim.process.communicate()
        assert victim.process.returncode == -9, "the run ended before it could be killed"
        kills += 1

    outcome = finish(batch.start_run(*flags, "--concurrency", 32))

    assert outcome.code in (0, 1)
    assert kills >= 10
    assert_books_agree(batch, fake, doubts=kills * CONCURRENCY)


def _wait_for_life(fake, seen, process):
    """Wait until the process has asked the service something, so that most kills meet it at work."""
    deadline = time.monotonic() + 5
    while len(fake.seen) == seen and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.slow
def test_killed_while_it_starts_it_starts_again(batch, fake, victim):
    batch.write("fox", "owl")
    for hundredth in range(0, 60, 10):
        victim.process = batch.start_run_anew("--limit", 0)
        time.sleep(hundredth / 100)
        victim.kill()
        victim.process.communicate()

    assert batch.run().code == 0
    assert_books_agree(batch, fake, doubts=0)


@pytest.mark.slow
def test_killed_while_its_ledger_is_closed_the_folder_is_as_usable_as_before(batch, fake, victim):
    batch.write("fox", "owl")
    batch.run()
    log = batch.folder / "ledger.sqlite-wal"
    for _ in range(6):
        victim.process = batch.start_run()
        wait_until(lambda: _size(log) > 0, "the ledger's opening")
        while _size(log) > 0:  # watched closely: the log goes at the very end
            pass
        victim.kill()
        victim.process.communicate()

    assert batch.run().code == 0
    assert_books_agree(batch, fake, doubts=0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
