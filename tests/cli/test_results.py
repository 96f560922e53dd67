"""`results` for people, for pipes, and as a manifest again."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys

from .acts import answers


def run_two(batch, fake):
    batch.write({"id": "fox", "text": "=fox", "seed": 7}, "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")
    batch.run()


def test_columns_come_tab_separated_through_a_pipe(batch, fake):
    run_two(batch, fake)

    plain = batch.call("results", batch.folder)
    failed = batch.call("results", batch.folder, "--state", "failed", "--columns", "id,error")
    deep = batch.call("results", batch.folder, "--columns", "id,error.code,inputs.seed,outputs.0.file")

    assert plain.out.splitlines()[0] == "fox\tsucceeded\tvideos/fox.mp4"
    assert failed.out.split("\t")[0] == "owl"
    assert "no owls" in failed.out
    assert deep.out == "fox\t\t7\tvideos/fox.mp4\nowl\trefused\t\t\n"


def test_csv_has_a_header_and_no_formula_and_jsonl_has_the_columns(batch, fake):
    run_two(batch, fake)

    table = batch.call("results", batch.folder, "--columns", "id,inputs.text", "--format", "csv")
    lines = batch.call("results", batch.folder, "--columns", "id,inputs.text", "--json")

    assert list(csv.reader(table.out.splitlines())) == [
        ["id", "inputs.text"],
        ["fox", "'=fox"],
        ["owl", "owl"],
    ]
    assert lines.lines == [{"id": "fox", "inputs.text": "=fox"}, {"id": "owl", "inputs.text": "owl"}]


def test_on_a_terminal_it_is_a_table_that_fits(batch, fake):
    run_two(batch, fake)
    ours, theirs = pty.openpty()

    subprocess.run(
        [sys.executable, "-m", "batchrunner", "results", str(batch.folder), "--columns", "id,status,outputs"],
        env=batch.env(COLUMNS="50"), stdout=theirs, stderr=subprocess.PIPE, check=True, timeout=60,
    )  # fmt: skip

    shown = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    os.close(theirs)
    assert shown[0].split() == ["id", "status", "outputs"]
    assert shown[1].startswith("fox  succeeded  [{")
    assert shown[1].endswith("…")
    assert max(map(len, shown)) <= 50


def test_what_failed_is_a_manifest_again(batch, fake):
    run_two(batch, fake)

    again = batch.call("results", batch.folder, "--state", "failed", "--as-manifest")
    batch.manifest.write_text(again.out)
    checked = batch.call("validate", batch.manifest, "--json")
    plan = batch.plan()

    assert [json.loads(line)["id"] for line in again.out.splitlines()] == ["owl"]
    assert checked.json == {"jobs": 1, "errors": []}
    assert plan["reasons"] == {"failed": 1}


def test_wishes_that_exclude_each_other_are_refused(batch, fake):
    run_two(batch, fake)

    both = batch.call("results", batch.folder, "--as-manifest", "--columns", "id")
    two = batch.call("results", batch.folder, "--json", "--format", "csv")
    unknown = batch.call("results", batch.folder, "--columns", "id,eror")

    assert (both.code, two.code, unknown.code) == (2, 2, 2)
    assert "did you mean error?" in unknown.err
    assert unknown.out == ""
