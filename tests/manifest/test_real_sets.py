"""The manifests people copy, and the real prompt sets they are made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from batchrunner._types import Job, Problem
from batchrunner.manifest import fingerprint, read_jobs
from batchrunner.models import Schemas

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
DREAMBOOTH = "https://raw.githubusercontent.com/google/dreambooth/4f887af7970a06fc0cd3adaa1d0b368547d6a1d0/"


def found_in(path: Path) -> list[Job | Problem]:
    return list(read_jobs(path, schemas=Schemas()))


def jobs_in(name: str) -> list[Job]:
    found = found_in(MANIFESTS / name)
    assert [each for each in found if isinstance(each, Problem)] == []
    return found


def written_by(script: str) -> str:
    return subprocess.run(
        [sys.executable, MANIFESTS / script], check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout


def test_the_demo_is_a_dozen_short_films_of_different_shapes():
    jobs = jobs_in("demo.yaml")

    assert len({job.id for job in jobs}) == len(jobs) == 12
    assert {job.inputs["duration"] for job in jobs} == {2, 3, 4}
    assert {job.inputs["resolution"] for job in jobs} == {"480p"}
    assert len({job.inputs.get("ratio", "16:9") for job in jobs}) == 6


def test_the_1118_jobs_of_vbench_are_valid():
    jobs = jobs_in("vbench_i2v.jsonl")

    assert len({job.id for job in jobs}) == len(jobs) == 1118
    assert len({job.inputs["images"][0] for job in jobs}) == 355


def test_the_vbench_manifest_is_what_its_script_writes():
    assert (MANIFESTS / "vbench_i2v.jsonl").read_text(encoding="utf-8") == written_by("make_vbench.py")


def test_of_opens2v_exactly_the_127_long_prompts_are_refused_each_by_its_line(tmp_path):
    path = tmp_path / "opens2v.jsonl"
    path.write_text(written_by("make_opens2v.py"), encoding="utf-8")
    rows = json.loads((ROOT / "tests/data/opens2v_eval/Open-Domain_Eval.json").read_text(encoding="utf-8"))
    too_long = {
        number: (name, len(row["prompt"]))
        for number, (name, row) in enumerate(rows.items(), 1)
        if len(row["prompt"]) > 500
    }

    found = found_in(path)

    problems = [each for each in found if isinstance(each, Problem)]
    assert {each.place.line: (each.id, each.message) for each in problems} == {
        line: (name, f"{length:,} characters, at most 500 allowed")
        for line, (name, length) in too_long.items()
    }
    assert {each.field for each in problems} == {"text"}
    assert (len(problems), len(found) - len(problems)) == (127, 53)


def test_the_750_jobs_of_dreambooth_are_valid_and_have_their_own_ids():
    jobs = jobs_in("dreambooth-objects.yaml") + jobs_in("dreambooth-live.yaml")

    assert (
        len({job.id for job in jobs})
        == len({fingerprint(job.model, job.inputs) for job in jobs})
        == len(jobs)
        == 750
    )
    assert {len(job.inputs["images"]) for job in jobs} == {1, 2, 3, 4}


@pytest.mark.parametrize("name", ["demo.yaml", "dreambooth-objects.yaml", "dreambooth-live.yaml"])
def test_every_photograph_named_is_one_of_the_set(name):
    listed = (ROOT / "tests/data/dreambooth/image_paths.txt").read_text(encoding="utf-8").split()
    known = {DREAMBOOTH + path for path in listed}

    assert {address for job in jobs_in(name) for address in job.inputs["images"]} <= known


@pytest.mark.parametrize("name", ["dreambooth-objects.yaml", "dreambooth-live.yaml"])
def test_the_prompts_are_those_of_the_set(name):
    source = (ROOT / "tests/data/dreambooth/prompts_and_classes.txt").read_text(encoding="utf-8")

    for job in jobs_in(name):
        subject = str(job.id).split("-text=")[0]
        kind = source.split(f"\n{subject},")[1].split("\n")[0]
        a, rest = str(job.inputs["text"]).split(f" {kind}", 1)
        assert f"'{a} {{0}} {{1}}{rest}'" in source


def test_the_three_typos_are_found_each_by_its_line():
    problems = [each for each in found_in(MANIFESTS / "three_typos.csv") if isinstance(each, Problem)]

    assert [(each.place.line, each.id, each.field) for each in problems] == [
        (3, "dog-snow", "ratio"),
        (4, "cat-beach", "duration"),
        (5, "cat-chef", "images[0]"),
    ]
