"""Every example that people copy is good: those in manifests/, in the README and in the manual."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from batchrunner.cli import run_main
from tests.cli.command import environment, finish, simulating, start
from tests.pictures import a_picture

from .pages import DOCS, MANIFEST_ENDINGS, PAGES, PLAYED, ROOT, blocks

MANIFESTS = ROOT / "manifests"
BY_HAND = {MANIFESTS / "three_typos.csv", *MANIFESTS.glob("dreambooth-*.csv")}
"""One with typos, and tables that a YAML file beside them completes."""

GOOD = [
    file for file in sorted(MANIFESTS.iterdir()) if file.suffix in MANIFEST_ENDINGS and file not in BY_HAND
]


@pytest.mark.parametrize("manifest", GOOD, ids=lambda file: file.name)
def test_a_manifest_to_copy_is_valid_and_has_as_many_jobs_as_its_page_says(manifest, capsys):
    assert run_main(["validate", str(manifest), "--json"]) == 0
    said = re.search(
        rf"^\| `{manifest.name}`.*?\| ([\d,]+) \|", (MANIFESTS / "README.md").read_text(), re.MULTILINE
    )
    assert said
    assert json.loads(capsys.readouterr().out) == {"jobs": int(said[1].replace(",", "")), "errors": []}


@pytest.mark.parametrize(("program", "refused"), [("make_vbench.py", 0), ("make_opens2v.py", 127)])
def test_a_program_that_makes_a_manifest_makes_what_its_page_says(program, refused, tmp_path, capsys):
    manifest = tmp_path / "made.jsonl"
    with manifest.open("wb") as out:
        subprocess.run([sys.executable, MANIFESTS / program], stdout=out, check=True, timeout=60)

    run_main(["validate", str(manifest), "--json"])

    found = json.loads(capsys.readouterr().out)
    assert found["jobs"] > 50
    assert len({error["row"] for error in found["errors"]}) == refused


def test_the_demo_runs(tmp_path):
    with simulating(tmp_path, "--service-time", "0.1", "--slots", "12") as address:
        run = start(
            "run", MANIFESTS / "demo.yaml", "-o", tmp_path / "demo", "--base-url", address,
            "--concurrency", 12, "--poll-interval", "0.1", env=environment(tmp_path),
        )  # fmt: skip
        outcome = finish(run)

    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "demo/videos").glob("*.mp4"))) == 12


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in PLAYED], ids=lambda page: str(page.relative_to(DOCS))
)
def test_every_manifest_on_a_page_is_valid(page, tmp_path, capsys):
    titled = [block for block in blocks(page) if block.title and block.title.endswith(MANIFEST_ENDINGS)]
    for block in titled:
        (tmp_path / str(block.title)).write_text(block.text, encoding="utf-8")
        for picture in re.findall(r"\./[\w/]+\.(?:png|jpg)", block.text):
            a_picture(tmp_path / picture)
    used = {block.title for block in titled if any(f"jobs: {block.title}" in other.text for other in titled)}

    for block in titled:
        if block.title not in used:
            code = run_main(["validate", str(tmp_path / str(block.title)), "--stage", "s3://my-bucket"])
            assert code == 0, capsys.readouterr().err


def test_the_readmes_manifest_is_valid_and_its_program_runs_it(tmp_path):
    readme = {block.language: block for block in blocks(ROOT / "README.md")}
    (tmp_path / "jobs.csv").write_text(readme["csv"].text, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", readme["python"].text],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "film/videos").iterdir())) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_python_block_compiles(page):
    for block in blocks(page):
        if block.language == "python":
            compile(
                block.text, str(page), "exec", flags=0x2000
            )  # PyCF_ALLOW_TOP_LEVEL_AWAIT, as notebooks have it
