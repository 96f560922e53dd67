"""`export`: every format holds what the ledger holds, read back by the libraries people use."""

from __future__ import annotations

import csv
import json
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import FolderUnusable, ManifestMissing, Usage
from batchrunner.folder.folder import Folder
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.export import Format, Options, export
from batchrunner.outputs.export.csv_file import STARTS, plain_text, safe_text
from batchrunner.outputs.results import read_results
from tests.builders import MODEL, a_job, some_jobs

from .loading import fill, film_of, load, samples_of

FORMULAS = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    """Jobs of two models, strange ids, several outputs, and one that is still open."""
    path = tmp_path_factory.mktemp("run") / "out"
    jobs = [
        a_job("fox.v1/a", seed=2**53 + 1, images=["https://a.example/1.png", "https://a.example/2.png"],
              meta={"shot": 1, "who": {"name": "Ann"}}),
        a_job("狐 #2", row=3, model="somebody/else", prompt='say "hi",\nthen go', strength=-0.5, loop=False,
              text=None, meta={"shot": 2}),
        a_job("test-1", row=4, seed=-4),
        a_job("open", row=5, text="=1+1"),
    ]  # fmt: skip
    del jobs[1].inputs["text"]
    fill(path, jobs, outputs=2, open_=1)
    return Folder(path)


def lines_of(folder: Folder, where: str = "state = 'succeeded'") -> list[dict[str, object]]:
    with closing(Store.read_only(folder.ledger)) as store:
        return list(read_results(store, where))


# ── one file ──


def test_jsonl_has_the_lines_of_the_results(folder, tmp_path):
    done = export(folder, Format.JSONL, tmp_path / "jobs.jsonl", Options())

    assert done.jobs == 3
    lines = (tmp_path / "jobs.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == lines_of(folder)


def test_states_choose_the_jobs(folder, tmp_path):
    for states, ids in [((State.PENDING,), ["open"]), ((), [line["id"] for line in lines_of(folder, "1")])]:
        export(folder, Format.JSONL, tmp_path / "jobs.jsonl", Options(states=states))

        lines = (tmp_path / "jobs.jsonl").read_text("utf-8").splitlines()
        assert [json.loads(line)["id"] for line in lines] == ids


def test_csv_is_a_table_of_plain_cells(folder, tmp_path):
    export(folder, Format.CSV, tmp_path / "jobs.csv", Options(states=()))

    with (tmp_path / "jobs.csv").open(encoding="utf-8", newline="") as file:
        fox, second, third, still_open = csv.DictReader(file)
    assert (fox["id"], fox["model"], fox["status"], fox["seed"]) == (
        "fox.v1/a", MODEL, "succeeded", str(2**53 + 1),
    )  # fmt: skip
    assert fox["images"] == "https://a.example/1.png|https://a.example/2.png"
    assert fox["meta.who"] == '{"name": "Ann"}'
    assert json.loads(fox["outputs"]) == lines_of(folder)[0]["outputs"]
    assert fox["file"] == lines_of(folder)[0]["outputs"][0]["file"]
    assert (second["prompt"], second["strength"], second["loop"]) == ('say "hi",\nthen go', "-0.5", "false")
    assert third["seed"] == "-4"
    assert (still_open["text"], still_open["file"]) == ("'=1+1", "")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_like_a_formula_is_quoted(text):
    assert safe_text(text) == f"'{text}"


@given(st.text())
def test_no_cell_is_a_formula_and_every_text_can_be_had_back(text):
    cell = safe_text(text)

    assert not cell.startswith(STARTS)
    assert plain_text(cell) == text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def test_parquet_has_typed_columns(folder, tmp_path):
    export(folder, Format.PARQUET, tmp_path / "jobs.parquet", Options())

    table = pq.read_table(tmp_path / "jobs.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["seed"], types["strength"], types["loop"], types["row"]) == (
        "int64",
        "double",
        "bool",
        "int64",
    )
    assert types["images"] == "list<element: string>"
    assert types["submitted_at"] == "timestamp[ms, tz=UTC]"
    rows, lines = table.to_pylist(), lines_of(folder)
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        given_inputs = {name: row[name] for name in line["inputs"]}
        assert given_inputs == line["inputs"]
        assert row["outputs"] == line["outputs"]
        assert (row["id"], row["request_id"], row["cost_usd"]) == (
            line["id"], line["request_id"], line["cost_usd"],
        )  # fmt: skip
    assert rows[0]["meta.who"] == '{"name": "Ann"}'
    assert rows[0]["submitted_at"] == datetime.fromtimestamp(2, UTC)


def test_an_input_called_like_a_column_of_ours_has_its_own(tmp_path):
    job = a_job("fox")
    job.inputs.update({"id": "theirs", "file": "their.png", "meta.x": "input"})
    job.meta["x"] = "note"
    fill(tmp_path / "out", [job])

    export(Folder(tmp_path / "out"), Format.PARQUET, tmp_path / "jobs.parquet", Options())

    (row,) = pq.read_table(tmp_path / "jobs.parquet").to_pylist()
    assert (row["id"], row["input.id"], row["input.file"]) == ("fox", "theirs", "their.png")
    assert (row["meta.x"], row["meta.meta.x"]) == ("input", "note")


@pytest.mark.parametrize("form", [Format.CSV, Format.JSONL, Format.PARQUET])
def test_no_job_in_that_state_is_an_empty_file_with_its_columns(folder, tmp_path, form):
    done = export(folder, form, tmp_path / "jobs", Options(states=(State.FAILED,)))

    assert done.jobs == 0
    assert (tmp_path / "jobs").is_file()


@pytest.mark.parametrize("form", [Format.CSV, Format.JSONL, Format.PARQUET, Format.WEBDATASET])
def test_the_same_ledger_gives_the_same_bytes_twice(folder, tmp_path, form):
    made = [tmp_path / name for name in ("one", "two")]
    for to in made:
        export(folder, form, to, Options())

    one, two = ((to / "00000.tar" if to.is_dir() else to).read_bytes() for to in made)
    assert one == two


# ── folders ──


def test_webdataset_reads_the_shards_back(folder, tmp_path):
    done = export(folder, Format.WEBDATASET, tmp_path / "shards", Options())

    assert (done.jobs, done.files) == (3, 6)
    samples = samples_of(tmp_path / "shards")
    assert len({sample["__key__"] for sample in samples}) == 3
    for sample, line in zip(samples, lines_of(folder), strict=True):
        assert json.loads(sample["json"]) == line
        assert sample["mp4"] == film_of(line["id"], 1)
        assert sample["2.mp4"] == film_of(line["id"], 2)
        prompt = line["inputs"].get("prompt", line["inputs"].get("text"))
        assert sample["txt"] == prompt.encode()


def test_shards_end_at_a_number_of_jobs_or_of_bytes(tmp_path):
    fill(tmp_path / "out", some_jobs(7))
    for name, options in [("count", Options(shard_jobs=3)), ("bytes", Options(shard_bytes=1))]:
        export(Folder(tmp_path / "out"), Format.WEBDATASET, tmp_path / name, options)

    assert [path.name for path in sorted((tmp_path / "count").iterdir())] == [
        f"0000{n}.tar" for n in range(3)
    ]
    assert len(list((tmp_path / "bytes").iterdir())) == 7
    for name in ("count", "bytes"):
        ids = [json.loads(sample["json"])["id"] for sample in samples_of(tmp_path / name)]
        assert ids == [f"job-0{n}" for n in range(7)]


def test_a_shard_member_is_nobodys_and_of_no_time(folder, tmp_path):
    export(folder, Format.WEBDATASET, tmp_path / "shards", Options())

    with tarfile.open(tmp_path / "shards/00000.tar") as tar:
        members = tar.getmembers()
    assert {(one.mtime, one.uid, one.uname, one.mode) for one in members} == {(0, 0, "", 0o644)}


def test_hf_is_a_folder_that_load_dataset_opens_with_films_that_take_no_room(folder, tmp_path):
    done = export(folder, Format.HF, tmp_path / "set", Options())
    export(folder, Format.HF, tmp_path / "with sidecars", Options(sidecar=True))

    plain, beside = load(tmp_path, tmp_path / "set", tmp_path / "with sidecars")

    assert (done.jobs, done.files) == (3, 6)
    names = {path.name for path in (tmp_path / "set").iterdir()}
    assert names == {"README.md", "metadata.jsonl", "videos"}
    for found in (plain, beside):
        assert found["splits"] == ["train"]
        assert [row["id"] for row in found["rows"]] == [
            line["id"] for line in lines_of(folder) for _ in (1, 2)
        ]
        for n, row in enumerate(found["rows"]):
            assert Path(row["video"]["path"]).read_bytes() == film_of(row["id"], n % 2 + 1)
    film = lines_of(folder)[0]["outputs"][0]["file"]
    assert (tmp_path / "set" / film).stat().st_ino == (folder.path / film).stat().st_ino
    assert json.loads((tmp_path / "with sidecars" / f"{film}.json").read_text()) == lines_of(folder)[0]


# ── what is never written over, and what is missing ──


@pytest.mark.parametrize("form", [Format.WEBDATASET, Format.HF])
def test_a_folder_with_something_in_it_is_left_alone(folder, tmp_path, form):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file.txt").write_text("mine")

    with pytest.raises(Usage, match="not empty"):
        export(folder, form, tmp_path / "mine", Options())

    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file.txt"]


def test_an_empty_folder_is_taken(folder, tmp_path):
    (tmp_path / "new").mkdir()

    export(folder, Format.HF, tmp_path / "new", Options())

    assert (tmp_path / "new/metadata.jsonl").is_file()


@pytest.mark.parametrize(
    "name", ["ledger.sqlite", "results.jsonl", "videos/fox.csv", "ledger.sqlite-wal", "README.md", "."]
)
def test_nothing_of_the_run_is_replaced(folder, name):
    before = folder.ledger.read_bytes()

    with pytest.raises(Usage, match="run's own"):
        export(folder, Format.CSV, folder.path / name, Options())

    assert folder.ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("form", "to"), [(Format.CSV, ""), (Format.HF, "file"), (Format.CSV, "gone/jobs.csv")]
)
def test_a_place_that_cannot_be_taken_is_named(folder, tmp_path, form, to):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(Usage, match="--to"):
        export(folder, form, tmp_path / to, Options())

    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("form", [Format.WEBDATASET, Format.HF])
def test_a_film_that_is_missing_is_named_and_nothing_is_left(tmp_path, form):
    fill(tmp_path / "out", some_jobs(2))
    (tmp_path / "out/videos/job-01.mp4").unlink()

    with pytest.raises(FolderUnusable, match=r"videos/job-01\.mp4 is missing"):
        export(Folder(tmp_path / "out"), form, tmp_path / "to", Options())

    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_without_ledger_is_missing(tmp_path):
    with pytest.raises(ManifestMissing):
        export(Folder(tmp_path), Format.CSV, tmp_path / "jobs.csv", Options())
