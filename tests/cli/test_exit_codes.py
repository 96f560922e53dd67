"""Every exit code that needs no service: usage, manifest, folder, and reading commands."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys

import pytest

from .command import FAST
from .fake_service import MODEL

READING = (["status"], ["results"], ["resume"], ["verify"], ["cancel"], ["resolve"])


def test_a_run_that_got_everything_ends_with_0(batch):
    batch.write("fox", "owl")

    outcome = batch.run()

    assert outcome.code == 0
    assert outcome.out == ""
    assert batch.states == {"succeeded": 2}


def test_a_run_without_a_terminal_draws_nothing_and_ends_with_the_next_command(batch):
    batch.write("fox")

    outcome = batch.run()

    assert "\x1b" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("next")


def test_the_next_command_works_as_it_is_shown(batch):
    batch.write("fox", "owl")
    stopped = batch.run("--limit", 1)

    command = shlex.split(stopped.err.splitlines()[-1].removeprefix("next"))
    outcome = batch.call(*command[1:], *FAST)

    assert command[0] == "batchrunner"
    assert outcome.code == 0
    assert batch.states == {"succeeded": 2}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["run", "jobs.jsonl"],
        ["run", "jobs.jsonl", "-o", "out", "--nope"],
        ["run", "jobs.jsonl", "-o", "out", "--concurrency", "0"],
        ["run", "jobs.jsonl", "-o", "out", "--max-outage", "soon"],
        ["run", "jobs.jsonl", "-o", "out", "--max-outage", "-1"],
        ["run", "jobs.jsonl", "-o", "out", "--until", "2001-01-01T00:00"],
        ["run", "jobs.jsonl", "-o", "out", "--retry", "nope"],
        ["run", "jobs.jsonl", "-o", "out", "--submit-only", "--collect-only"],
        ["run", "jobs.jsonl", "-o", "out", "--on-unknown", "hope"],
        ["run", "jobs.jsonl", "-o", "out", "--simulate", "--base-url", "http://127.0.0.1:9"],
        ["run", "-", "-o", "out"],
    ],
    ids=" ".join,
)
def test_words_that_do_not_fit_together_are_usage_and_leave_nothing(batch, arguments):
    batch.write("fox")

    outcome = batch.call(*arguments)

    assert outcome.code == 2
    assert outcome.err
    assert not batch.folder.exists()


@pytest.mark.parametrize("command", [["validate"], ["plan", "-o", "out"], ["run", "-o", "out"]])
def test_a_manifest_that_is_not_there_is_66(batch, command):
    outcome = batch.call(command[0], "nowhere.csv", *command[1:])

    assert outcome.code == 66
    assert "nowhere.csv" in outcome.err
    assert not batch.folder.exists()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_folder_without_a_ledger_is_66(batch, command):
    batch.folder.mkdir()

    assert batch.call(command[0], batch.folder).code == 66


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"duration": 99}, "duration"),
        ({"ratio": "5:4"}, "ratio"),
        ({"colour": "red"}, "colour"),
        ({"images": ["ftp://images.example.com/a.png"]}, "images"),
        ({"text": "x" * 501}, "501"),
    ],
)
def test_a_bad_row_is_65_and_nothing_is_sent_not_even_for_the_good_ones(batch, fake, row, named):
    batch.write("owl", {"id": "bad one", "text": "fox", **row})

    outcome = batch.run()

    assert outcome.code == 65
    assert "jobs.jsonl:2" in outcome.err
    assert "bad one" in outcome.err
    assert named in outcome.err
    assert fake.seen == []
    assert not batch.folder.exists()


def test_a_model_without_a_schema_is_65_and_names_the_flag_that_gives_one(batch, fake):
    batch.write("owl", {"id": "other", "text": "fox", "model": "nobody/knows/this"})

    outcome = batch.run()

    assert outcome.code == 65
    assert "jobs.jsonl:2" in outcome.err
    assert "--schema" in outcome.err
    assert {seen.endpoint for seen in fake.seen} == {"model"}  # the catalogue was asked, and had none either


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe\x00", b"\x00" * 100, b"{", b"[]", b"{}", b"null"]
)
def test_a_manifest_of_anything_at_all_is_65_in_words(batch, content):
    batch.manifest.write_bytes(content)

    outcome = batch.call("validate", batch.manifest)

    assert outcome.code == 65
    assert outcome.err


def test_without_a_model_anywhere_it_is_65_and_with_the_flag_it_runs(batch):
    batch.manifest.write_text('{"text": "fox", "images": ["https://images.example.com/fox.png"]}\n')

    assert batch.call("validate", batch.manifest).code == 65
    assert batch.call("validate", batch.manifest, "--model", MODEL).code == 0


def test_results_without_their_ledger_are_73_and_nothing_is_paid_again(batch, fake):
    batch.write("fox")
    batch.run()
    (batch.folder / "ledger.sqlite").unlink()

    outcome = batch.run()

    assert outcome.code == 73
    assert "ledger.sqlite" in outcome.err
    assert fake.paid == {"fox": 1}


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500], ids=["empty", "garbage"])
def test_a_ledger_that_is_none_ends_in_words_and_is_never_taken_for_a_new_one(batch, fake, content):
    batch.write("fox")
    batch.run()
    (batch.folder / "ledger.sqlite").write_bytes(content)
    service = ["--base-url", fake.url]

    reading = [batch.call(command, batch.folder) for command in ("status", "results", "verify")]
    resumed = batch.call("resume", batch.folder, *service)
    running = [batch.call(word, batch.manifest, "-o", batch.folder, *service) for word in ("plan", "run")]

    for outcome in [*reading, resumed, *running]:
        assert outcome.code in (66, 73, 74)
        assert "ledger" in outcome.err
    assert fake.paid == {"fox": 1}


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_cannot_be_one_is_73(batch, fake, folder):
    batch.write("fox")
    (batch.home / "file").write_text("mine")

    outcome = batch.call("run", batch.manifest, "-o", folder, "--base-url", fake.url)

    assert outcome.code == 73
    assert fake.posts() == 0
    assert (batch.home / "file").read_text() == "mine"


def test_a_disk_that_takes_no_film_is_74_and_the_rerun_collects_without_paying(batch, fake):
    batch.write("fox", "owl")
    fake.always("film", lambda exchange: exchange.reply(200, b"\0" * 400_000), text="owl")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))

    process = batch.start_run_anew(preexec_fn=small_files)
    _, words = process.communicate(timeout=60)
    fake.mend()
    again = batch.run()

    assert process.returncode == 74
    assert "Traceback" not in words
    assert again.code == 0
    assert fake.paid == {"fox": 1, "owl": 1}


@pytest.mark.skipif(os.name == "nt", reason="modes of files are a Unix matter")
def test_folder_and_files_are_private_to_the_user(batch):
    batch.write("fox")
    batch.run()

    everything = [batch.folder, *batch.folder.rglob("*")]

    assert {path.stat().st_mode & 0o077 for path in everything} == {0}


def test_a_closed_pipe_is_no_error(batch):
    batch.write(*(f"p{n}" for n in range(3)))
    batch.run()
    process = subprocess.run(
        f"{sys.executable} -m batchrunner results {batch.folder} --json | head -c 1",
        shell=True, env=batch.env(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert process.stderr == ""


def test_help_and_version_answer_with_0(batch):
    assert "run" in batch.call("--help").out
    assert "--max-outage" in batch.call("run", "--help").out
    assert batch.call("--version").out.startswith("batchrunner")


def test_a_duration_is_seconds_when_bare_or_carries_a_unit(batch):
    batch.write("fox")
    durations = [
        "--max-outage",
        "90s",
        "--job-timeout",
        "30m",
        "--poll-interval",
        "0.2",
        "--http-timeout",
        "5",
    ]

    assert batch.run(*durations, "--until", "+2h", "--dry-run").code == 0


def test_a_dry_run_is_the_plan_and_sends_and_writes_nothing(batch, fake):
    batch.write("fox")

    dry = batch.run("--dry-run", "--json")

    assert dry.json == batch.plan()
    assert {seen.method for seen in fake.seen} == {"GET"}  # free reads: price and balance
    assert not batch.folder.exists()


def test_the_manifest_may_come_from_standard_input(batch, fake):
    batch.write("fox")
    where = ["-", "--input-format", "jsonl", "-o", batch.folder, "--base-url", fake.url, *FAST]

    outcome = batch.call("run", *where, typed=batch.manifest.read_text())

    assert outcome.code == 0
    assert batch.results()["fox"]["status"] == "succeeded"
