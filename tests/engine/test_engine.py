"""A batch on a real cluster of processes: workers are killed, it is stopped, and each job is paid once."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from batchrunner.folder.folder import Folder

from ..cli.acts import later
from ..cli.command import Batch, finish, wait_until
from ..cli.fake_service import FakeService
from ..cli.here import Here

NAMES = [f"scene-{number:02d}" for number in range(20)]
ENGINE = ("--engine", "dask", "--workers", 2)


def owners(folder: Path) -> list[int]:
    """The processes that own a shard at this moment."""
    return [int(owner.pid) for part in Folder(folder).shards() if (owner := part.owner()) is not None]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_workers_that_are_killed_cost_time_and_no_job(batch: Batch, fake: FakeService):
    batch.write(*NAMES)
    fake.always("film", later(0.15))
    process = batch.start_run_anew(*ENGINE, "--shards", 6, "--json")

    killed: set[int] = set()
    for number in (1, 2, 3):
        wait_until(lambda number=number: len(fake.calls("film")) > 3 * number, "some films")
        wait_until(lambda: set(owners(batch.folder)) - killed, "a worker at work")
        victim = min(set(owners(batch.folder)) - killed)
        os.kill(victim, signal.SIGKILL)
        killed.add(victim)
    outcome = finish(process)
    merged = batch.call("merge", batch.folder)

    results = batch.results()
    in_doubt = {name for name, line in results.items() if line["status"] == "unknown"}
    assert (outcome.code, merged.code) == (1 if in_doubt else 0, 0)
    assert {text: n for text, n in fake.paid.items() if n > 1} == {}
    assert {text: fake.posts(text) for text in NAMES if fake.posts(text) > 1} == {}
    assert len(in_doubt) <= 3 * 4  # never more than a killed worker may have had on the wire
    assert {name for name, line in results.items() if line["status"] == "succeeded"} == {*NAMES} - in_doubt
    assert {path.stem for path in (batch.folder / "videos").iterdir()} == {*NAMES} - in_doubt
    last = outcome.lines[-1]
    assert (last["event"], last["exit_code"]) == ("summary", outcome.code)
    assert sum(event["event"] == "succeeded" for event in outcome.lines) >= len(NAMES) - len(in_doubt) - 1


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_one_ctrl_c_drains_all_shards_and_the_same_command_goes_on(batch: Batch, fake: FakeService):
    batch.write(*NAMES)
    fake.looks_until_done = 10_000  # nothing is done before the stop is heard of
    process = batch.start_run_anew(*ENGINE, "--shards", 4, "--concurrency", 4)

    wait_until(lambda: fake.posts() == 4, "two jobs of each worker")
    process.send_signal(signal.SIGINT)
    wait_until(lambda: (batch.folder / "shards/stop").exists(), "the word to be passed on")
    fake.looks_until_done = 1
    stopped = finish(process)
    paid = dict(fake.paid)
    after_the_stop, begun = batch.states_now, batch.status()["shards"]["begun"]
    again = batch.run(*ENGINE, "--concurrency", 4)

    assert stopped.code == 75, stopped
    assert "stopped by Ctrl-C" in stopped.err
    assert after_the_stop["succeeded"] == len(paid) < len(NAMES)
    assert set(after_the_stop) <= {"succeeded", "pending"}
    assert begun == 2  # no further shard began after the stop
    assert again.code == 0, again
    assert fake.paid == Counter(NAMES)


def test_without_the_library_it_says_how_to_get_it(batch: Batch, here: Here, fake: FakeService, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    batch.write(*NAMES)

    outcome = here.run(*ENGINE)

    assert outcome.code == 2
    assert "pip install 'batchrunner[dask]'" in outcome.err
    assert not here.folder.exists()
    assert fake.posts() == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--shard", "1/2"), "--shard runs one shard"),
        (("--concurrency", 1), "2 workers share it"),
        (("--max-cost", 1), "--max-cost needs a price"),
        (("--scheduler", "tcp://127.0.0.1:9"), "no scheduler answers"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    batch: Batch, here: Here, fake: FakeService, monkeypatch, flags, words
):
    monkeypatch.setattr("batchrunner.engine.cluster.ANSWERS_S", 1.0)
    batch.write(*NAMES)

    outcome = here.run(*ENGINE, *flags)

    assert (outcome.code, words in outcome.err) == (2, True), outcome
    assert fake.posts() == 0


def test_a_manifest_with_problems_is_refused_as_a_whole(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES, {"id": "loud", "text": "x", "duration": 99})

    outcome = here.run(*ENGINE)

    assert outcome.code == 65
    assert "duration" in outcome.err
    assert not here.folder.exists()


def test_a_plan_for_the_engine_is_of_all_shards_together(batch: Batch, here: Here, fake: FakeService):
    batch.write(*NAMES)
    before = here.plan(*ENGINE, "--json").json
    here.run("--shard", "1/3")
    done = len(fake.paid)

    after = here.plan(*ENGINE, "--json").json

    assert (before["total"], before["submit"]) == (len(NAMES), len(NAMES))
    assert (after["total"], after["submit"], after["reasons"]["done"]) == (
        len(NAMES),
        len(NAMES) - done,
        done,
    )
    assert 0 < done < len(NAMES)
    assert fake.posts() == done


def test_a_folder_with_one_ledger_is_refused_and_one_without_any_is_missing(
    batch: Batch, here: Here, fake: FakeService
):
    batch.write(*NAMES)
    missing = here("resume", here.folder, "--base-url", fake.url, *ENGINE)
    here.run("--limit", 0)

    refused = here.run(*ENGINE)

    assert missing.code == 66
    assert (refused.code, "has one ledger for all its jobs" in refused.err) == (73, True)
