"""Ctrl-C that takes queued requests back, and an audience that leaves: what it costs, in books and words."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from .books import complaints, left_open, read_books
from .crash_points import Point
from .lives import Batch, Script
from .nurseries import ROOT, TOKEN
from .roads import JOBS, SLOW


def test_what_is_confirmed_cancelled_is_pending_again_and_not_billed(batch: Batch) -> None:
    batch.write(*JOBS)
    flags = ("--concurrency", 4, "--on-interrupt", "cancel-queued")

    life = batch.run(*flags, script=Script(service=SLOW, interrupt_at=Point.LOOK_LEAVING))

    books = read_books(batch)
    still_paid = {job_id for job_id, state in books.states.items() if state == "succeeded"}
    assert life.code == 75, life.err
    assert still_paid == set(books.paid)
    assert 1 <= len(still_paid) < 4
    assert set(books.states.values()) == {"succeeded", "pending"}
    assert list(complaints(batch, books)) == []

    assert batch.run().code == 0

    books = read_books(batch)
    assert set(books.paid.values()) == {1}
    assert len(books.paid) == len(JOBS)
    assert list(complaints(batch, books)) == []


def test_left_alone_by_default_a_stopped_run_says_what_will_be_billed(batch: Batch) -> None:
    batch.write(*JOBS)
    twice = Script(service=SLOW, interrupt_at=Point.LOOK_LEAVING)
    batch.run("--submit-only", "--limit", 3, script=Script(service=SLOW))

    life = batch.run("--job-timeout", "1s", "--limit", 0, script=twice)

    assert life.code == 75
    assert re.search(r"\d jobs? runs? on at the service and will be billed; the next run collects", life.err)
    assert batch.run().code == 0
    assert left_open(read_books(batch)) == []


def test_a_run_whose_reader_has_left_goes_on_to_the_end(batch: Batch) -> None:
    """``run --json | head -1``: a closed pipe leaves no submission in doubt and no film behind."""
    batch.write(*JOBS)
    words = ["run", batch.manifest, "-o", batch.folder, "--json", "--poll-interval", "0.05"]

    with batch.serving() as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "batchrunner", *map(str, words), "--base-url", url],
            cwd=ROOT, env={**os.environ, "RUNCOMFY_API_TOKEN": TOKEN},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert b"Traceback" not in said
    assert set(read_books(batch).states.values()) == {"succeeded"}
