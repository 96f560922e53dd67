"""The files a run leaves: their fields, their order, and that nobody ever sees half of one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import ErrorCode
from batchrunner.events import RunEvent
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.dataset import CARD_MARK, look_into, read_metadata, write_data_set
from batchrunner.outputs.lines import json_line
from batchrunner.outputs.results import Interrupted, iso, read_results, read_text, write_results
from batchrunner.outputs.runlog import RunLog
from tests.builders import MODEL, a_job, an_error, bring, nothing, some_jobs, take, the

FIELDS = [
    "id", "row", "model", "status", "inputs", "meta", "request_id", "attempts", "outputs", "error",
    "cost_usd", "submitted_at", "completed_at", "saved_at", "in_manifest",
]  # fmt: skip


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


def lines_of(path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# ── results.jsonl ──


@pytest.mark.parametrize("state", State)
def test_every_line_has_every_field_in_the_same_order(store, state):
    take(store, [a_job()])
    bring(store, state)

    (line,) = read_results(store)

    assert list(line) == FIELDS
    assert line["status"] == state


def test_a_film_is_told_with_everything_known_of_it(store):
    take(store, [a_job("fox", row=7, seed=4, meta={"shot": 1})])
    bring(store, State.SUCCEEDED)

    (line,) = read_results(store)

    assert line == {
        "id": "fox",
        "row": 7,
        "model": MODEL,
        "status": "succeeded",
        "inputs": {"text": "fox", "seed": 4},
        "meta": {"shot": 1},
        "request_id": "r-fox-1",
        "attempts": 1,
        "outputs": [
            {
                "file": "videos/fox.mp4",
                "kind": "video",
                "bytes": 5,
                "sha256": "ab",
                "url": "https://films.example.com/1.mp4",
            }
        ],
        "error": None,
        "cost_usd": 0.5,
        "submitted_at": "1970-01-01T00:00:02.000Z",
        "completed_at": "1970-01-01T00:00:03.000Z",
        "saved_at": "1970-01-01T00:00:04.000Z",
        "in_manifest": True,
    }


def test_a_failure_says_why(store):
    take(store, [a_job()])
    seq = bring(store, State.SUBMITTING).seq
    store.refused(seq, an_error(ErrorCode.REFUSED, "too long"), 5.0)

    (line,) = read_results(store)

    assert line["error"] == {"code": "refused", "message": "too long", "service_code": None}
    assert (line["attempts"], line["request_id"], line["outputs"]) == (0, None, [])


def test_an_output_that_is_not_saved_has_a_link_but_no_file(store):
    take(store, [a_job()])
    entry = bring(store, State.READY)
    store.reserve(entry.seq, 1, kind="video", extension=".mp4", size_bytes=5, sha256="ab", taken=nothing)

    (line,) = read_results(store)

    (output,) = line["outputs"]
    assert output["url"] == "https://films.example.com/1.mp4"
    assert (output["file"], output["bytes"], output["sha256"]) == (None, None, None)


def test_outputs_are_those_of_the_latest_generation(store):
    take(store, [a_job()])
    bring(store, State.SUCCEEDED, outputs=2)
    store.rerun(the(store), 9.0)

    (line,) = read_results(store)

    assert (line["status"], line["outputs"], line["attempts"]) == ("pending", [], 0)


def test_lines_come_in_manifest_order_with_what_is_gone_at_the_end(store):
    take(store, some_jobs(3))
    take(store, [a_job("new", row=9), some_jobs(3)[2]])

    order = [(line["id"], line["in_manifest"]) for line in read_results(store)]

    assert order == [("new", True), ("job-02", True), ("job-00", False), ("job-01", False)]


def test_any_text_is_written_as_readable_utf_8_one_line_a_job(store, tmp_path):
    take(store, [a_job("狐", text="a\nb\u2028c"), a_job("half", row=3, text="\ud83d")])

    write_results(store, tmp_path / "results.jsonl")

    raw = (tmp_path / "results.jsonl").read_bytes()
    assert raw.count(b"\n") == 2
    assert "狐".encode() in raw
    assert json.loads(raw.split(b"\n")[0])["inputs"]["text"] == "a\nb\u2028c"


def write_results_too(store, folder, *more):
    write_results(store, folder / "results.jsonl", *more)


@pytest.mark.parametrize(
    ("name", "write"), [("results.jsonl", write_results_too), ("metadata.jsonl", write_data_set)]
)
def test_an_interrupted_file_leaves_the_old_one_whole(store, tmp_path, name, write):
    take(store, some_jobs(3))
    for job in some_jobs(3):
        bring(store, State.SUCCEEDED, job.id)
    write(store, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(Interrupted):
        write(store, tmp_path, lambda: False)

    assert tmp_path / name in before
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_files_are_the_users_alone(store, tmp_path):
    write_results(store, tmp_path / "results.jsonl")

    assert (tmp_path / "results.jsonl").stat().st_mode & 0o777 == 0o600


def test_instants_are_utc_with_milliseconds():
    assert iso(1_700_000_000.1234) == "2023-11-14T22:13:20.123Z"
    assert iso(None) is None


# ── metadata.jsonl and the card ──


def test_each_saved_file_is_a_row_with_the_inputs_under_their_own_names(store):
    take(store, [a_job("fox", seed=4, meta={"shot": 1}), a_job("crow", row=3)])
    bring(store, State.SUCCEEDED, "fox", outputs=2)
    bring(store, State.READY, "crow")

    rows = list(read_metadata(store, look_into(store)))

    common = {"id": "fox", "model": MODEL, "text": "fox", "seed": 4, "meta.shot": 1}
    assert rows == [
        {"file_name": "videos/fox.mp4", **common},
        {"file_name": "videos/fox.2.mp4", **common},
    ]


def test_an_input_that_is_called_like_a_column_of_ours_is_kept_apart(store):
    job = a_job("fox")
    job.inputs.update({"id": "theirs", "model": "theirs"})
    take(store, [job])
    bring(store, State.SUCCEEDED)

    (row,) = read_metadata(store, look_into(store))

    assert (row["id"], row["input.id"], row["input.model"]) == ("fox", "theirs", "theirs")


def front_matter(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_card_names_the_files_of_the_one_split(store, tmp_path):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")

    write_data_set(store, tmp_path)

    card = (tmp_path / "README.md").read_text()
    (config,) = front_matter(card)["configs"]
    assert config["data_files"] == [{"split": "train", "path": ["metadata.jsonl", "videos/**"]}]
    assert "1 video file," in card
    assert MODEL in card


def test_the_card_is_renewed(store, tmp_path):
    take(store, some_jobs(2))
    write_data_set(store, tmp_path)
    assert "no files yet" in (tmp_path / "README.md").read_text()

    for job in some_jobs(2):
        bring(store, State.SUCCEEDED, job.id)
    write_data_set(store, tmp_path)

    assert "2 video files" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("content", [b"# mine\n", b"", b"\xff\xfe"])
def test_a_readme_that_is_not_ours_is_never_touched(store, tmp_path, content):
    (tmp_path / "README.md").write_bytes(content)

    write_data_set(store, tmp_path)

    assert (tmp_path / "README.md").read_bytes() == content


def test_a_card_without_our_mark_is_the_users_from_then_on(store, tmp_path):
    write_data_set(store, tmp_path)
    mine = (tmp_path / "README.md").read_text().replace(CARD_MARK, "")
    (tmp_path / "README.md").write_text(mine)

    write_data_set(store, tmp_path)

    assert (tmp_path / "README.md").read_text() == mine


# ── run.log ──


def test_the_log_keeps_every_event_as_a_line_and_goes_on_where_it_was(tmp_path):
    path = tmp_path / "run.log"
    for at in (1.0, 2.0):
        with RunLog(path) as log:
            log(RunEvent(name="submitted", at=at, id="fox", data={"request_id": "r-1", "text": "a\nb 狐"}))

    assert lines_of(path) == [
        {
            "event": "submitted",
            "at": f"1970-01-01T00:00:0{at}.000Z",
            "id": "fox",
            "request_id": "r-1",
            "text": "a\nb 狐",
        }
        for at in (1, 2)
    ]
    assert path.stat().st_mode & 0o777 == 0o600


# ── the same line, as data and as text ──

HOSTILE = {
    "text": 'a "fox"\n\x7f\u202eevil 狐 \\u0041',
    "seed": 5.0,
    "images": ["https://a.example/é"],
    "deep": {"a": None},
}


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_text_of_every_line_says_what_its_data_says(store, outputs):
    take(store, [*some_jobs(len(State)), a_job("狐-\x7f", meta={"note": "ü\x9f", "n": 1}, **HOSTILE)])
    for number, state in enumerate(state for state in State):
        bring(store, state, f"job-{number:02d}", outputs=outputs)
    bring(store, State.SUCCEEDED, "狐-\x7f")

    lines, data = "".join(read_text(store)).splitlines(keepends=True), list(read_results(store))

    assert [json.loads(line) for line in lines] == [json.loads(json_line(found)) for found in data]
    assert [list(json.loads(line)) for line in lines] == [list(found) for found in data]
    assert all("\x7f" not in line and "\u202e" not in line and line.count("\n") == 1 for line in lines)
    assert "狐" in lines[-1]


@given(st.floats(0, 4e9) | st.integers(0, 2**32).map(lambda n: n + 0.9999996))
def test_an_instant_reads_as_the_ledger_s_database_writes_it(instant):
    wanted = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch')"
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute(wanted, (instant,)).fetchone() == (iso(instant),)


@given(st.integers(0, 4 * 10**12))
def test_a_whole_millisecond_reads_as_the_standard_library_writes_it(milliseconds):
    instant = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)

    wanted = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert iso(milliseconds / 1000) == wanted
