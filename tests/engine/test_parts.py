"""What the engine decides, hands out and hears: values in, values out."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.client import Timeouts
from batchrunner.engine.logs import Logs, parse_line
from batchrunner.engine.reporting import FIRST, decide_together
from batchrunner.engine.stop_word import read_word, write_word
from batchrunner.engine.task import ShardTask, run_shard
from batchrunner.engine.wishes import Wishes
from batchrunner.errors import Exit, FolderUnusable, Usage
from batchrunner.events import RunEvent
from batchrunner.outputs.runlog import RunLog
from batchrunner.session.places import PlacesAsked
from batchrunner.settings import Rerun, Settings
from batchrunner.sharding import Shard

TOKEN = "rc-secret-5b1c0ffee"


def a_task(whole: Path, **more: object) -> ShardTask:
    values = {
        "session": "s", "whole": whole, "shard": Shard(1, 2), "at_once": 2, "source": "/jobs.csv",
        "input_format": None, "model": None, "schemas": (), "settings": Settings(), "rerun": Rerun(),
        "places": PlacesAsked(), "base_url": "https://x.example.com", "simulate": False,
        "timeouts": Timeouts(),
    }  # fmt: skip
    return ShardTask(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wishes", "at_once", "recorded", "count"),
    [
        (Wishes(), 3, None, 12),
        (Wishes(shards=5), 3, None, 5),
        (Wishes(), 3, 7, 7),
        (Wishes(shards=7), 3, 7, 7),
        (Wishes(), 5_000, None, 9_999),
    ],
)
def test_there_are_four_shards_for_each_worker_unless_it_is_said_or_recorded(
    wishes, at_once, recorded, count
):
    assert wishes.decide_shards(at_once, recorded) == count


def test_another_number_than_the_recorded_one_is_refused():
    with pytest.raises(FolderUnusable, match="in 7 shards, not in 8"):
        Wishes(shards=8).decide_shards(2, 7)
    with pytest.raises(Usage, match="at most 9,999"):
        Wishes(shards=10_000).decide_shards(2, None)


def test_what_may_be_in_flight_is_shared_by_the_shards_that_run_at_once():
    whole = Settings(concurrency=32, poll_rate=8.0, max_cost_micros=1_000, limit=10)

    parts = [Shard(index, 10).settings(whole, at_once=4) for index in range(1, 11)]

    assert {(part.concurrency, part.poll_rate) for part in parts} == {(8, 2.0)}
    assert (sum(part.max_cost_micros or 0 for part in parts), sum(part.limit or 0 for part in parts)) == (
        1_000,
        10,
    )


@pytest.mark.parametrize(
    ("codes", "signals", "still_open", "expected"),
    [
        ([Exit.OK, Exit.OK], [], 0, Exit.OK),
        ([Exit.OK, Exit.SOME_FAILED], [], 0, Exit.SOME_FAILED),
        ([Exit.SOME_FAILED, Exit.OPEN], [], 3, Exit.OPEN),
        ([Exit.OK], [], 3, Exit.OPEN),
        ([Exit.OPEN, Exit.ACCOUNT], [], 3, Exit.ACCOUNT),
        ([Exit.OK, Exit.INTERNAL], [], 0, Exit.INTERNAL),
        ([Exit.OK], [SIGINT], 0, Exit.OPEN),
        ([Exit.OPEN], [SIGINT, SIGINT], 3, Exit.INTERRUPTED),
        ([Exit.OPEN], [SIGTERM], 3, Exit.TERMINATED),
        ([], [SIGHUP], 3, Exit.HUNG_UP),
        ([], [], 0, Exit.OK),
    ],
)
def test_the_first_exit_code_counts_and_open_work_is_never_called_done(codes, signals, still_open, expected):
    assert decide_together(codes, signals, still_open) is expected


def test_every_exit_code_has_its_rank():
    assert sorted(FIRST) == sorted(Exit)


def test_a_task_travels_and_holds_no_token(monkeypatch, tmp_path):
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", TOKEN)

    sent = pickle.dumps(a_task(tmp_path))

    assert TOKEN.encode() not in sent
    assert pickle.loads(sent) == a_task(tmp_path)


def test_a_worker_without_a_token_says_so(monkeypatch, tmp_path):
    for name in ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "RUNCOMFY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    ended = run_shard(a_task(tmp_path))

    assert ended.exit_code is Exit.ACCOUNT
    assert not list(tmp_path.iterdir())


def test_a_worker_of_another_version_runs_nothing(tmp_path):
    ended = run_shard(a_task(tmp_path, version="0.0.1"))

    assert (ended.exit_code, "not 0.0.1" in ended.reason) == (Exit.USAGE, True)


def test_a_shard_that_was_not_begun_when_the_stop_came_does_not_begin(tmp_path):
    (tmp_path / "shards").mkdir()
    write_word(tmp_path, "s", [SIGINT])

    assert run_shard(a_task(tmp_path)).exit_code is Exit.OPEN
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["stop"]


def test_a_word_is_heard_in_its_own_session_only(tmp_path):
    (tmp_path / "shards").mkdir()
    assert read_word(tmp_path, "mine") == []

    write_word(tmp_path, "mine", [SIGINT, SIGTERM])

    assert read_word(tmp_path, "mine") == [SIGINT, SIGTERM]
    assert read_word(tmp_path, "another's") == []


@given(st.binary(max_size=80))
def test_no_line_of_a_log_stops_the_reading(line):
    parse_line(line)


def test_the_logs_of_all_shards_are_one_stream_of_what_is_new(tmp_path):
    shards = tmp_path / "shards"
    for name in ("01-of-02", "02-of-02"):
        (shards / name).mkdir(parents=True)
    (shards / "count").write_text("2")
    with RunLog(shards / "01-of-02/run.log") as log:
        log(RunEvent(name="succeeded", at=1.0, id="before"))  # type: ignore[arg-type]
    logs = Logs(tmp_path)

    with RunLog(shards / "01-of-02/run.log") as first, RunLog(shards / "02-of-02/run.log") as second:
        first(RunEvent(name="started", at=2.0, data={"plan": {}}))
        first(RunEvent(name="submitted", at=2.5, id="fox", data={"request_id": "r"}))  # type: ignore[arg-type]
        second(RunEvent(name="failed", at=3.0, id="owl", data={"row": 3}))  # type: ignore[arg-type]
        with (shards / "02-of-02/run.log").open("a") as file:
            file.write('{"event": "succeeded", "at"')
        news = list(logs.news())

    assert [(event.name, event.id, event.at, event.data) for event in news] == [
        ("submitted", "fox", 2.5, {"request_id": "r"}),
        ("failed", "owl", 3.0, {"row": 3}),
    ]
    assert list(logs.news()) == []
    with (shards / "02-of-02/run.log").open("a") as file:
        file.write(': "1970-01-01T00:00:04.000Z", "id": "owl"}\n')
    assert [event.name for event in logs.news()] == ["succeeded"]
    assert json.loads((shards / "count").read_text()) == 2
