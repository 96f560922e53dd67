"""A manifest that two processes check, half of it each, is found to be what one process finds."""

from __future__ import annotations

import json
import pickle
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner import second_process
from batchrunner.manifest import NamedManifest, halves, jsonl_reader, parts
from batchrunner.manifest.beside import Ended
from batchrunner.manifest.halves import BESIDE, HERE, rows_to_check
from batchrunner.manifest.repeated import IdBlock, check_rows
from batchrunner.manifest.told import told_of
from batchrunner.models import Schemas

from .other_process import UNFINISHED

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
URL = "https://images.example.com/a.png"
ROW = {"text": "a fox", "images": [URL]}
SEED = st.sampled_from([5, -1, "5", "x", None])
LINES = st.lists(
    st.fixed_dictionaries(
        {"text": st.sampled_from(["a fox", "an owl", "x" * 40])},
        optional={
            "id": st.sampled_from(["a", "b", "f" * 16, "../c"]),
            "seed": SEED,
            "model": st.sampled_from([MODEL, MODEL.replace("video", "vido"), "acme/film", 7, ""]),
        },
    ).map(lambda row: json.dumps({"images": [URL], **row}))
    | st.sampled_from(["", "  ", "no job", "[]", '{"a": '])
)


def named(path: Path, model: str | None = MODEL) -> NamedManifest:
    return NamedManifest(source=str(path), schemas=Schemas(), model=model)


def found_by_one(path: Path):
    return check_rows(named(path).rows())


def found_by_two(path: Path):
    with closing(rows_to_check(named(path), big_bytes=0)) as rows:
        return check_rows(rows)


@pytest.fixture
def many(tmp_path) -> Path:
    """Some stretches of jobs, with something wrong in each."""
    rows = [{**ROW, "id": f"job-{number}", "meta": {"note": "x" * 300}} for number in range(8000)]
    for number in range(0, 8000, 900):
        rows[number] |= {"seed": "?"}
        rows[number + 450] |= {"id": "job-7"}
    path = tmp_path / "jobs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert path.stat().st_size > 3 * parts.STRETCH * jsonl_reader.BLOCK
    return path


@given(
    lines=LINES,
    block=st.sampled_from([1, 100, 300]),
    stretch=st.integers(1, 3),
    model=st.sampled_from([MODEL, None, "acme/none"]),
)
def test_the_halves_of_any_lines_are_the_whole(tmp_path_factory, lines, block, stretch, model):
    path = tmp_path_factory.getbasetemp() / "halves.jsonl"
    path.write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jsonl_reader, "BLOCK", block)
        patched.setattr(parts, "STRETCH", stretch)
        whole = check_rows(named(path, model).rows())
        manifest = named(path, model)
        asked = manifest.asked(part=BESIDE, only_ids=True)
        told = [pickle.loads(pickle.dumps(one)) for one in told_of(asked, manifest.schemas.from_catalogue)]
        others = (one for one in told if not isinstance(one, Ended))
        both = check_rows(halves._together(manifest.rows(part=HERE), others))

    assert both.jobs == whole.jobs
    assert both.problems == tuple(one for one in whole.problems if one.message != "no jobs at all")


def test_two_processes_find_what_one_finds(many):
    found = found_by_two(many)

    assert found == found_by_one(many)
    assert len(found.problems) == 18
    assert [problem.place.line for problem in found.problems] == list(range(1, 8001, 450))


def test_the_second_one_reads_half_of_it_and_tells_no_more_than_ids(many):
    asked = named(many).asked(part=BESIDE, only_ids=True)

    told = list(told_of(asked, lambda model: None))

    assert 2000 < sum(one.size for one in told if isinstance(one, IdBlock)) < 6000
    assert {type(one).__name__ for one in told} == {"IdBlock", "Problem", "Job", "Ended"}


def test_what_is_here_comes_without_waiting_for_what_the_other_finds_later(many):
    def never():
        raise AssertionError
        yield

    rows = halves._in_order(named(many).rows(part=HERE), never())

    assert [next(rows) for _ in range(parts.STRETCH - 1)]


def test_that_it_ends_at_a_question_to_the_catalogue_is_no_trouble(many, monkeypatch):
    asks_and_ends = (
        "import sys, os; sys.path[:] = {path}; from batchrunner.manifest.beside import *;"
        " receive(sys.stdin.buffer); os.close(0); send(sys.stdout.buffer, Question('acme/film'))"
    )
    schema = {"properties": {"text": {"type": "string"}, "images": {}}}

    def found(manifest):
        with closing(rows_to_check(manifest, big_bytes=0)) as rows:
            return check_rows(rows)

    def catalogued() -> NamedManifest:
        return NamedManifest(source=str(many), schemas=Schemas((), lambda model: schema), model="acme/film")

    expected = found(catalogued())
    monkeypatch.setattr(second_process, "PROGRAM", asks_and_ends)

    assert found(catalogued()) == expected


@pytest.mark.parametrize("program", UNFINISHED.values(), ids=UNFINISHED)
def test_where_the_second_does_not_come_to_its_end_all_is_read_once(many, monkeypatch, program):
    monkeypatch.setattr(second_process, "PROGRAM", program)

    assert found_by_two(many) == found_by_one(many)


def test_where_a_second_one_cannot_be_started_all_is_read_once(many, monkeypatch):
    monkeypatch.setattr(second_process.sys, "executable", str(many))

    assert found_by_two(many) == found_by_one(many)


def test_that_nothing_is_there_is_said_once(tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text("\n" * 3 * parts.STRETCH * jsonl_reader.BLOCK)

    (problem,) = found_by_two(path).problems

    assert problem == found_by_one(path).problems[0]


def test_a_small_manifest_starts_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr(second_process.subprocess, "Popen", None)
    path = tmp_path / "jobs.jsonl"
    path.write_text(json.dumps(ROW))

    assert len(list(rows_to_check(named(path)))) == 1
