"""`export` as it is typed: what it says, what it leaves, and its exit codes."""

from __future__ import annotations

import csv
import json

import pytest


def test_a_run_is_exported_while_the_folder_is_locked_by_nobody(batch):
    batch.write("fox", "owl")
    batch.run()

    said = batch.call("export", batch.folder, "--format", "csv", "--to", "jobs.csv")
    counted = batch.call("export", batch.folder, "--format", "hf", "--to", "set", "--json")

    with (batch.home / "jobs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (said.code, said.out) == (0, "")
    assert "2 jobs → jobs.csv" in said.err
    assert [(row["id"], row["file"]) for row in rows] == [
        ("fox", "videos/fox.mp4"),
        ("owl", "videos/owl.mp4"),
    ]
    assert counted.json == {"jobs": 2, "files": 2, "to": "set"}
    assert (batch.home / "set/videos/fox.mp4").read_bytes() == (batch.folder / "videos/fox.mp4").read_bytes()


def test_states_are_chosen(batch):
    batch.write("fox", "owl")
    batch.run("--only", "fox")

    batch.call("export", batch.folder, "--format", "jsonl", "--to", "open.jsonl", "--state", "pending")
    batch.call("export", batch.folder, "--format", "jsonl", "--to", "all.jsonl", "--state", "all")

    ids = {
        name: [json.loads(line)["id"] for line in (batch.home / name).read_text().splitlines()]
        for name in ("open.jsonl", "all.jsonl")
    }
    assert ids == {"open.jsonl": ["owl"], "all.jsonl": ["fox", "owl"]}


def test_a_folder_without_ledger_is_66_and_a_taken_place_2(batch):
    (batch.home / "empty").mkdir()
    batch.write("fox")
    batch.run()

    none = batch.call("export", "empty", "--format", "csv", "--to", "jobs.csv")
    taken = batch.call("export", batch.folder, "--format", "hf", "--to", batch.folder)

    assert (none.code, taken.code) == (66, 2)
    assert "ledger.sqlite" in none.err
    assert not (batch.home / "jobs.csv").exists()


@pytest.mark.parametrize("size", ["0", "much", "1X"])
def test_a_size_that_is_none_is_refused(batch, size):
    outcome = batch.call("export", ".", "--format", "webdataset", "--to", "x", "--shard-bytes", size)

    assert outcome.code == 2
    assert "no size such as" in outcome.err


def test_a_missing_library_is_one_line_with_the_install_command(batch):
    batch.write("fox")
    batch.run()
    (batch.home / "hidden/pyarrow").mkdir(parents=True)
    (batch.home / "hidden/pyarrow/__init__.py").write_text("raise ImportError('not here')")

    outcome = batch.call(
        "export",
        batch.folder,
        "--format",
        "parquet",
        "--to",
        "x.parquet",
        PYTHONPATH=str(batch.home / "hidden"),
    )

    assert outcome.code == 2
    assert "pip install 'batchrunner[export]'" in outcome.err
    assert len(outcome.err.splitlines()) == 2
