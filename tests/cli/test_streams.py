"""Standard streams that are closed, unread, or of another encoding: words may be lost, work is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..builders import MODEL
from .acts import answers
from .command import start


def shell(batch, words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Let a shell call the command, which it knows as ``$BATCHRUNNER``."""
    called = {"BATCHRUNNER": f"{sys.executable} -m batchrunner", **more}
    return subprocess.run(
        ["sh", "-c", words], cwd=batch.home, env={**batch.env(), **called},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("closing", ["<&-", "<&- >&- 2>&-"])
def test_a_run_whose_streams_are_closed_does_its_work(batch, closing):
    batch.write("fox", "owl")

    ended = shell(batch, f"$BATCHRUNNER run jobs.jsonl -o out --base-url {batch.fake.url} {closing}")

    assert "Traceback" not in ended.stderr
    assert ended.returncode == 0
    assert batch.states == {"succeeded": 2}
    assert batch.call("verify", batch.folder).code == 0  # nobody's words went into the ledger


def test_a_manifest_from_a_closed_standard_input_has_no_jobs(batch):
    ended = shell(batch, "$BATCHRUNNER validate - --input-format csv <&-")

    assert ended.returncode == 65
    assert "no jobs at all" in ended.stderr


def test_results_that_are_read_only_in_part_are_no_failure(batch):
    batch.write(*(f"job-{n}" for n in range(3)))
    batch.run()
    process = start("results", batch.folder, env=batch.env(), cwd=batch.home)
    assert process.stdout is not None

    process.stdout.close()

    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_words_that_nobody_hears_do_not_change_the_exit_code(batch, fake):
    fake.always("submit", answers(422, {"detail": "no foxes"}))
    batch.write("fox")
    process = batch.start_run_anew()
    assert process.stderr is not None

    process.stderr.close()

    assert process.wait(60) == 1


def test_a_terminal_that_lacks_a_character_gets_it_spelled_out(batch):
    batch.write({"id": "fox-🦊", "text": "a fox"})
    batch.run()

    outcome = batch.call("results", batch.folder, PYTHONIOENCODING="latin-1")

    assert outcome.code == 0
    assert outcome.out.startswith("fox-\\U0001f98a\t")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_behind_standard_output_is_said_and_is_no_mistake_of_ours(batch):
    batch.write("fox")

    ended = shell(batch, "$BATCHRUNNER validate jobs.jsonl --json >/dev/full")

    assert ended.returncode == 74
    assert "standard output cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_of_a_long_answer_arrives_before_the_process_is_gone(batch):
    wrong = [json.dumps({"id": f"job-{n}", "model": MODEL, "text": 5}) for n in range(2_000)]
    (batch.home / "jobs.jsonl").write_text("\n".join(wrong), encoding="utf-8")

    ended = shell(batch, "$BATCHRUNNER validate jobs.jsonl --json | cat")

    assert len(json.loads(ended.stdout)["errors"]) >= 2_000
