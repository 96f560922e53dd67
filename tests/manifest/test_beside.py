"""A manifest read by a second process is the manifest that one process reads: to the byte, to the word."""

from __future__ import annotations

import csv
import io
import json
import pickle
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner import second_process
from batchrunner.errors import AccountRefused, ManifestInvalid
from batchrunner.ledger import Store
from batchrunner.manifest import NamedManifest
from batchrunner.manifest.beside import Ended
from batchrunner.manifest.told import told_of
from batchrunner.models import Schemas
from batchrunner.models.schemas import Missing
from batchrunner.plan import load_jobs

from .other_process import CUT, UNFINISHED

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
URL = "https://images.example.com/a.png"
SCHEMA = {"properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
COUNTING = ("seed", "ratio")
ROW = {"text": "a fox", "images": [URL]}


def named(path: Path, schemas: Schemas | None = None, **flags) -> NamedManifest:
    return NamedManifest(source=str(path), schemas=schemas or Schemas(), **{"model": MODEL, **flags})


def kept(rows):
    """What a ledger holds of *rows*, and how many are alike; the problems where there are some."""
    with closing(Store.scratch()) as store:
        try:
            counted = load_jobs(store, rows, counting=COUNTING).counted
        except ManifestInvalid as error:
            return [error.jobs, *error.problems]
        if counted is not None:
            asked = store.pending_alike(COUNTING, limit=-1)
            assert sorted(map(repr, counted)) == sorted(map(repr, asked))
        rows = store.connection.execute("SELECT * FROM jobs ORDER BY seq")
        return [counted, *map(tuple, rows)]


def told(manifest: NamedManifest):
    """What the other process would tell of *manifest*, having travelled."""
    asked = manifest.asked(counting=COUNTING)
    for found in told_of(asked, manifest.schemas.from_catalogue):
        if not isinstance(found, Ended):
            yield pickle.loads(pickle.dumps(found))


def json_lines(*rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_csv(*rows) -> str:
    names, file = list(dict.fromkeys(name for row in rows for name in row)), io.StringIO()
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


# ── the same ──

TEXTS = st.sampled_from(["", "a fox", 'a "fox"', "é\x7f", "16:9", "1.0", "5", "[1]", f"{URL}|{URL}"])
CELLS = st.fixed_dictionaries(
    {"text": TEXTS, "images": st.sampled_from([URL, f"{URL}|{URL}", json.dumps([URL]), "", "fox.png"])},
    optional={
        "id": st.sampled_from(["a", "b", "", "../c"]),
        "seed": st.sampled_from(["", "5", "-1", "x"]),
        "meta.by": TEXTS,
    },
)
VALUES = st.fixed_dictionaries(
    {"text": TEXTS, "images": st.sampled_from([[URL], [URL, URL], [], "fox.png"])},
    optional={
        "id": st.sampled_from(["a", 7, None]),
        "seed": st.sampled_from([5, 5.0, 2**70, None, "5"]),
        "meta": st.sampled_from([{}, {"by": "é"}, {"n": 1.5}, None]),
    },
)


@given(st.lists(CELLS, min_size=1, max_size=4))
@settings(max_examples=40)
def test_rows_of_csv_are_kept_alike(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "alike.csv"
    path.write_text(as_csv(*rows))

    assert kept(told(named(path))) == kept(named(path).rows())


@given(st.lists(VALUES, min_size=1, max_size=4))
@settings(max_examples=40)
def test_json_lines_are_kept_alike(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "alike.jsonl"
    path.write_text(json_lines(*rows))

    assert kept(told(named(path))) == kept(named(path).rows())


def test_jobs_that_are_alike_are_counted(tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(
        json_lines(*({**ROW, "text": str(n), "seed": n % 2} for n in range(5)), {**ROW, "text": "a"})
    )

    counted, *_ = kept(told(named(path)))

    assert sorted(counted, key=repr) == [(MODEL, {"seed": 0}, 3), (MODEL, {"seed": 1}, 2), (MODEL, {}, 1)]


def test_a_matrix_and_defaults_are_kept_alike(tmp_path):
    path = tmp_path / "jobs.yaml"
    path.write_text(
        f"defaults: {{images: [{URL}], text: 'a {{animal}}'}}\nmatrix: {{seed: [1, 2]}}\n"
        "jobs:\n- {id: a, animal: fox}\n- {id: b, animal: owl, duration: long}\n- {id: a, animal: elk}\n"
    )

    assert kept(told(named(path))) == kept(named(path).rows())


# ── by a process ──


def test_a_process_reads_it_and_what_decides_its_jobs_is_written_down_as_if_it_were_read_here(tmp_path):
    rows, path = tmp_path / "rows.csv", tmp_path / "jobs.yaml"
    rows.write_text(as_csv({"text": "a fox", "images": URL}, {"text": "an owl", "images": URL}))
    path.write_text("jobs: rows.csv\n")
    here, elsewhere = named(path), named(path)

    expected = kept(here.rows())

    assert kept(elsewhere.rows_beside(counting=COUNTING, big_bytes=0)) == expected
    assert len(elsewhere.files_read()) == 2
    assert elsewhere.record() == here.record()


def test_the_process_is_not_told_the_token(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "secret")
    seen = tmp_path / "seen"
    monkeypatch.setattr(
        second_process, "PROGRAM", f"import os; open({str(seen)!r}, 'w').write(str(os.environ))"
    )
    path = tmp_path / "jobs.jsonl"
    path.write_text(json_lines(ROW))

    list(named(path).rows_beside(big_bytes=0))

    assert "PATH" in seen.read_text()
    assert "secret" not in seen.read_text()


def test_what_the_catalogue_says_is_asked_here(tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(json_lines({"prompt": "a fox"}, {"model": "acme/none", "prompt": "a fox"}))
    asked = []

    def published(model):
        asked.append(model)
        return SCHEMA if model == "acme/film" else Missing("it was never heard of")

    manifest = named(path, Schemas((), published), model="acme/film")
    number, problem = kept(manifest.rows_beside(counting=COUNTING, big_bytes=0))

    assert (number, asked) == (1, ["acme/film", "acme/none"])
    assert "it was never heard of" in problem.message
    assert list(manifest.schemas.published()) == asked


def test_that_the_catalogue_refuses_the_token_is_heard(tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(json_lines({"prompt": "a fox"}))

    def published(model):
        raise AccountRefused("the token is refused")

    with pytest.raises(AccountRefused):
        list(named(path, Schemas((), published), model="acme/film").rows_beside(big_bytes=0))


# ── without one ──


@pytest.mark.parametrize("program", UNFINISHED.values(), ids=UNFINISHED)
def test_where_it_does_not_come_to_its_end_all_is_read_once(tmp_path, monkeypatch, program):
    monkeypatch.setattr(second_process, "PROGRAM", program)
    path = tmp_path / "jobs.jsonl"
    path.write_text("".join(json_lines({**ROW, "seed": "?"}, {**ROW, "seed": n}) for n in range(3)))

    assert kept(named(path).rows_beside(counting=COUNTING, big_bytes=0)) == kept(named(path).rows())


def test_what_was_read_in_two_goes_is_read_again_the_next_time(tmp_path, monkeypatch):
    monkeypatch.setattr(second_process, "PROGRAM", CUT)
    path = tmp_path / "jobs.jsonl"
    path.write_text(json_lines({**ROW, "meta": {"n": 1}}, "no job", {**ROW, "seed": 5}))
    manifest = named(path)

    list(manifest.rows_beside(big_bytes=0))

    assert manifest.record() is None


def test_a_small_manifest_starts_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr(second_process.subprocess, "Popen", None)
    path = tmp_path / "jobs.jsonl"
    path.write_text(json_lines(ROW))

    assert len(list(named(path).rows_beside())) == 1
