"""The page of very many jobs is written by a second process, and is the page that this one would write."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from batchrunner import second_process
from batchrunner.causes import Address
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.report import beside, write_report
from batchrunner.outputs.report.beside import write_beside
from batchrunner.outputs.results import Interrupted
from tests.builders import bring, some_jobs, take


@pytest.fixture
def ledger(tmp_path):
    with closing(Store.open(tmp_path / "ledger.sqlite")) as store:
        take(store, some_jobs(3))
        bring(store, State.SUCCEEDED, "job-00")
    return tmp_path / "ledger.sqlite"


def without_instants(page: str) -> str:
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T?[ 0-9:.]*|datetime=\"[^\"]*\"|1[0-9]{9}\\.[0-9]+", "", page)


def write_there(ledger, folder):
    address = Address(folder=folder)
    return write_beside(ledger, folder / "report.html", address, lambda: True)


def test_it_is_the_page_that_this_process_would_write(ledger, tmp_path):
    address = Address(folder=tmp_path)

    tallies = write_beside(ledger, tmp_path / "report.html", address, lambda: True)

    with closing(Store.read_only(ledger)) as store:
        assert tallies == write_report(store, tmp_path / "here.html", address)
    theirs, ours = ((tmp_path / name).read_text("utf-8") for name in ("report.html", "here.html"))
    assert without_instants(theirs) == without_instants(ours)


LATE_AND_LONG = """
import pickle, sys, time
time.sleep(0.3)
pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps([((1, 2, 3), b"x" * 1_000_000)]))
"""


def test_a_process_that_begins_late_and_says_much_is_heard_to_its_end(ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "ASKED_EACH_S", 0.01)
    monkeypatch.setattr(second_process, "PROGRAM", LATE_AND_LONG)

    assert write_there(ledger, tmp_path) == [((1, 2, 3), b"x" * 1_000_000)]


def test_nobody_waits_for_it_who_was_told_to_stop(ledger, tmp_path):
    with pytest.raises(Interrupted):
        write_beside(ledger, tmp_path / "report.html", Address(folder=tmp_path), lambda: False)

    assert list(tmp_path.glob("*.html*")) == list(tmp_path.glob(".*.part")) == []


def test_where_it_does_not_come_to_its_end_the_page_is_not_said_to_be_written(ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(second_process, "PROGRAM", "raise SystemExit(3)")

    assert write_there(ledger, tmp_path) is None


def test_a_process_that_nobody_waits_for_any_more_writes_nothing(ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(beside.os, "getpid", lambda: 1_234_567)  # "it" is gone before the page is begun

    assert write_there(ledger, tmp_path) is None
    assert not (tmp_path / "report.html").exists()
