"""The page: whole or not at all, the same words as the ledger, and nothing foreign in it that acts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest

from batchrunner.causes import Address
from batchrunner.errors import ErrorCode
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.report import write_report
from batchrunner.outputs.report.embedded import FIELDS, embed_jobs, inert_json
from batchrunner.outputs.results import Interrupted
from tests.builders import a_job, an_error, bring, some_jobs, take, the

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u2028'\"&"


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


class Reader(HTMLParser):
    """Collects what a browser would act on: elements with their attributes, and the text of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in self.blocks:
            self._inside = tag
            self.blocks[tag].append("")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside:
            self.blocks[self._inside][-1] += data

    @property
    def jobs(self) -> list[dict[str, object]]:
        (block,) = [text for text in self.blocks["script"] if text.lstrip().startswith(("[[", "[\n"))]
        return [dict(zip(FIELDS, values, strict=True)) for values in json.loads(block)]


def page_of(store: Store, folder: Path) -> str:
    write_report(store, folder / "report.html", Address(folder=folder))
    return (folder / "report.html").read_text("utf-8")


def test_the_first_words_say_how_it_went(store, tmp_path):
    take(store, some_jobs(4))
    bring(store, State.SUCCEEDED, "job-00")
    bring(store, State.FAILED, "job-01")

    text = re.sub(r"<[^>]+>", "", page_of(store, tmp_path))

    assert "1 film, 1 failed, 2 still open, $0.75, 2 s" in text
    assert "REHEARSAL" not in text


def test_a_rehearsal_says_so_in_title_and_page(store, tmp_path):
    take(store, some_jobs(1))
    store.set_fact("simulated", "1")

    page = page_of(store, tmp_path)

    assert "<title>REHEARSAL · " in page
    assert "<strong>REHEARSAL</strong>" in page


def test_an_empty_folder_has_a_page_too(store, tmp_path):
    assert "<b>0 films</b>" in page_of(store, tmp_path)


def test_every_failure_comes_with_its_rows_and_the_command_that_redoes_just_it(store, tmp_path):
    take(store, some_jobs(3))
    bring(store, State.SUCCEEDED, "job-00")
    for job_id in ("job-01", "job-02"):
        seq = bring(store, State.SUBMITTED, job_id).seq
        store.gave_up(seq, an_error(ErrorCode.MODERATED, f"no {HOSTILE}"), 0.0, 3.0)

    reader = Reader(page_of(store, tmp_path))

    commands = [given["data-copy"] for _, given in reader.elements if given.get("data-copy")]
    assert commands[0] == f"batchrunner resume {tmp_path} --retry moderated"
    named = [given["data-job"] for _, given in reader.elements if "data-job" in given]
    assert named == ["job-01", "job-02"]


def test_nothing_foreign_becomes_an_element_or_a_script(store, tmp_path):
    take(store, [a_job(HOSTILE, text=HOSTILE, images=["javascript:alert(3)"], meta={HOSTILE: HOSTILE})])
    seq = bring(store, State.SUBMITTED, HOSTILE).seq
    store.gave_up(seq, an_error(message=HOSTILE), 0.0, 3.0)
    plain = Reader(page_of(Store.in_memory(), tmp_path))

    page = page_of(store, tmp_path)

    reader = Reader(page)
    assert "<img" not in page
    assert len(reader.blocks["script"]) == len(plain.blocks["script"])
    assert not [name for _, given in reader.elements for name in given if name.startswith("on")]
    assert not [given for _, given in reader.elements if "javascript:" in str(given.get("href"))]
    (job,) = reader.jobs
    assert job["id"] == HOSTILE
    assert job["inputs"]["text"] == HOSTILE


def test_the_policy_allows_our_own_lines_and_no_network(store, tmp_path):
    reader = Reader(page_of(store, tmp_path))

    (policy,) = [given["content"] for _, given in reader.elements if given.get("http-equiv")]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"http|\*|unsafe", policy)
    run = [text for text in reader.blocks["script"] if text.strip() and text.lstrip()[0] not in "[{"]
    for text in [*run, *reader.blocks["style"]]:
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert not [given for tag, given in reader.elements if tag in ("script", "link") and "src" in given]


def test_what_went_badly_is_kept_first_then_the_newest_films_in_manifest_order(store):
    take(store, some_jobs(9))
    for number in range(6):
        bring(store, State.SUCCEEDED, f"job-{number:02d}")
        store.connection.execute(
            "UPDATE jobs SET saved_at = ? WHERE id = ?", (100.0 + number, f"job-{number:02d}")
        )
    bring(store, State.FAILED, "job-07")

    embedded = embed_jobs(store, most=4)

    assert [json.loads(job)[0] for job in embedded.jobs] == ["job-03", "job-04", "job-05", "job-07"]
    assert embedded.left_out == 5


@pytest.mark.parametrize(
    "saved", [(6, 5, 4, 3, 2, 1), (1, 6, 2, 5, 3, 4), (1, 1, 1, 2, 1, 1), (3, None, 1, 2, 2, 9)]
)
def test_the_newest_films_are_kept_in_whatever_order_they_came(store, saved):
    take(store, some_jobs(8))
    for number, saved_at in enumerate(saved):
        bring(store, State.SUCCEEDED, f"job-{number:02d}")
        store.connection.execute("UPDATE jobs SET saved_at = ? WHERE id = ?", (saved_at, f"job-{number:02d}"))
    newest = sorted(range(6), key=lambda number: (-(saved[number] or 0), number))

    for most in range(1, 6):
        kept = [json.loads(job)[0] for job in embed_jobs(store, most=most).jobs]
        assert kept == [f"job-{number:02d}" for number in sorted(newest[:most])]


def test_the_page_stays_within_its_bytes_and_says_what_it_leaves_out(store, tmp_path, monkeypatch):
    take(store, [a_job(f"job-{n}", row=n + 1, text="x" * 1000) for n in range(10)])

    embedded = embed_jobs(store, most_bytes=5000)

    assert 0 < len(embedded.jobs) < 5
    assert embedded.left_out == 10 - len(embedded.jobs)
    assert sum(map(len, embedded.jobs)) <= 5000


def test_a_seed_stays_the_seed_where_a_browser_would_round_it(store):
    take(store, [a_job(seed=2**53 + 1)])

    (job,) = embed_jobs(store).jobs

    assert json.loads(job)[FIELDS.index("inputs")]["seed"] == "9007199254740993"


@pytest.mark.parametrize("text", [HOSTILE, "\ud83d", "<!--", "]]>", "狐", "\x7f\x9f"])
def test_data_holds_nothing_that_markup_could_be_made_of(text):
    written = inert_json({text: [text]})

    assert not set("<>&\u2028\u2029\x7f\x9f") & set(written)
    written.encode()
    assert json.loads(written) == {text.replace("\ud83d", "?"): [text.replace("\ud83d", "?")]}


def test_a_page_that_is_not_finished_leaves_the_old_one_whole(store, tmp_path):
    take(store, some_jobs(50))
    before, asked = page_of(store, tmp_path), iter(range(100))

    with pytest.raises(Interrupted):
        write_report(store, tmp_path / "report.html", Address(folder=tmp_path), lambda: next(asked) < 60)

    assert (tmp_path / "report.html").read_text("utf-8") == before
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_long_query_is_cut_off_and_the_ledger_goes_on(store, tmp_path, monkeypatch):
    monkeypatch.setattr("batchrunner.outputs.results.STEPS_BETWEEN_QUESTIONS", 1)
    take(store, some_jobs(2))

    with pytest.raises(Interrupted):
        write_report(store, tmp_path / "report.html", Address(folder=tmp_path), lambda: False)

    assert the(store, "job-01").state is State.PENDING
    assert not list(tmp_path.iterdir())


def test_the_page_is_the_users_alone(store, tmp_path):
    page_of(store, tmp_path)

    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
