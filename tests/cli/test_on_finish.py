"""``--on-finish``: told of every end, without the token, and changing none."""

from __future__ import annotations

import json
from pathlib import Path

from batchrunner.cli.finish import hook_environment, run_hook

from .acts import answers
from .command import TOKEN


def test_it_gets_the_summary_the_counts_and_not_the_token(batch, fake):
    batch.write("fox", "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")

    outcome = batch.run(
        "--json", "--on-finish", "cat > seen.json; env > seen.env; echo words", BATCHRUNNER_SPARE=f"x{TOKEN}"
    )

    summary = json.loads((batch.home / "seen.json").read_text())
    env = dict(line.partition("=")[::2] for line in (batch.home / "seen.env").read_text().splitlines())
    counts = {name: env[f"BATCHRUNNER_{name}"] for name in ("EXIT_CODE", "SUCCEEDED", "FAILED", "OPEN")}
    assert outcome.code == summary["exit_code"] == 1
    assert counts == {"EXIT_CODE": "1", "SUCCEEDED": "1", "FAILED": "1", "OPEN": "0"}
    assert Path(env["BATCHRUNNER_FOLDER"]) == batch.folder
    assert TOKEN not in (batch.home / "seen.env").read_text()
    assert outcome.lines[-1]["event"] == "summary"  # what it prints does not get into the data
    assert "words" in outcome.err


def test_its_failure_is_told_and_changes_no_exit_code(batch, fake):
    batch.write("fox")

    outcome = batch.run("--on-finish", "exit 7")

    assert outcome.code == 0
    assert "--on-finish ended with 7" in outcome.err


def test_it_is_told_too_when_no_run_could_begin(batch):
    batch.write({"id": "fox", "text": "fox", "duration": 99})

    outcome = batch.run("--on-finish", "echo code $BATCHRUNNER_EXIT_CODE")

    assert outcome.code == 65
    assert "code 65" in outcome.err


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path):
    trouble = run_hook(
        "sleep 600 & wait", token="", folder=tmp_path, summary={"exit_code": 0}, patience_s=0.2
    )

    assert trouble == "--on-finish took longer than 0.2 s and was killed"


def test_a_command_that_does_not_read_is_no_trouble(tmp_path):
    assert run_hook("true", token="", folder=tmp_path, summary={"exit_code": 0, "x": "y" * 1_000_000}) is None


def test_it_is_not_handed_on_to_what_it_starts():
    env = hook_environment(
        {"BATCHRUNNER_ON_FINISH": "batchrunner resume out", "PATH": "/bin"}, "", Path(), {"exit_code": 0}
    )

    assert "BATCHRUNNER_ON_FINISH" not in env
    assert env["PATH"] == "/bin"
