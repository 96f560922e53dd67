"""What the service says may be anything; it ends the job it is about, and reaches nobody's terminal raw."""

from __future__ import annotations

import json

import pytest

from .books import read_books
from .lives import Batch, Life, Script
from .nurseries import TOKEN

ODD = "half \ud800 a pair, \x1b]0;title\x07 \x9b31m red, \u202e backwards, \x7f"
FAULTS = (
    f"submit refused message='{ODD}' match=refused times=always",
    f"result failed message='{ODD}' match=failed times=always",
    f"result failed error=object message='{ODD}' match=object times=always",
    f"submit answer status=422 code={10**30} message='{ODD}' match=numbered times=always",
    f"result answer status=500 body=text message='{ODD}' match=texted times=2",
)
JOBS = ("refused", "failed", "object", "numbered", "texted", "fine")


@pytest.fixture
def ran(batch: Batch) -> Life:
    batch.write(*JOBS)
    words = batch.run_command("--max-attempts", 1, "-v", "--progress", "plain")
    return batch.live(*words, script=Script(faults=FAULTS))


def test_every_job_ends_as_it_would_with_plain_words(ran: Life, batch: Batch) -> None:
    assert read_books(batch).states == {
        "refused": "failed", "failed": "failed", "object": "failed", "numbered": "failed",
        "texted": "succeeded", "fine": "succeeded",
    }  # fmt: skip


def test_no_control_character_reaches_a_stream_or_a_file_that_people_read(ran: Life, batch: Batch) -> None:
    told = [batch.live(*words, batch.folder) for words in (["results"], ["results", "--json"], ["status"])]
    shown = [ran.err, *(text for life in told for text in (life.out, life.err))]
    shown += [path.read_text() for path in batch.folder.glob("*.json*")]
    shown.append((batch.folder / "run.log").read_text())

    for text in shown:
        assert [char for char in text if char not in "\n\t" and not char.isprintable() and char != " "] == []


def test_the_words_are_kept_where_they_can_be_read(ran: Life, batch: Batch) -> None:
    lines = [json.loads(line) for line in (batch.folder / "results.jsonl").read_text().splitlines()]
    messages = {line["id"]: line["error"]["message"] for line in lines if line["error"]}

    assert set(messages) == {"refused", "failed", "object", "numbered"}
    for message in messages.values():
        assert "half ? a pair" in message
        assert "backwards" in message


def test_a_token_that_is_echoed_everywhere_is_nowhere_afterwards(batch: Batch) -> None:
    batch.write("refused", "failed", "lost", "page", "fine")
    echo = f"'bad header Authorization: Bearer {TOKEN}'"
    faults = (
        f"model answer status=404 message={echo} times=always",
        f"submit answer status=422 body=detail message={echo} match=refused times=always",
        f"submit answer status=500 body=text message={echo} match=lost",
        f"status answer status=500 body=text message={echo} match=page times=2",
        f"result failed message={echo} match=failed times=always",
        f"file answer status=403 body=text message={echo} match=fine times=2",
    )
    with batch.serving(*faults) as url:
        words = ["run", batch.manifest, "-o", batch.folder, "--base-url", url, "--max-attempts", 1]
        life = batch.live(*words, "-v", "--progress", "plain", "--json")
        said = [life.out, life.err]
        said += [part for words in ("results", "status", "verify", "resolve")
                 for told in [batch.live(words, batch.folder)] for part in (told.out, told.err)]  # fmt: skip

    assert life.code == 1
    assert set(read_books(batch).states.values()) == {"failed", "unknown", "succeeded"}
    assert [text for text in said if TOKEN in text] == []
    kept = [
        path for path in batch.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert kept == []
    assert "[token]" in (batch.folder / "results.jsonl").read_text()
