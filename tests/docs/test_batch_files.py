"""The files in examples/: what they call exists, with such flags, and what reads them can read them."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from .pages import ROOT, calls
from .test_commands_named import check_call

EXAMPLES = ROOT / "examples"

FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".md")
CALLERS = [path for path in FILES if path.suffix != ".timer"]  # that one calls its service
SCRIPTS = [path for path in FILES if path.suffix in (".sh", ".sbatch")]

FILLED_IN = re.compile(r"\$\(\(.+?\)\)|\$\{?\w+\}?|\{\}|%h")
"""What a shell, parallel or systemd puts something else for."""

CALL = re.compile(r"batchrunner (?:run|merge|resume)\b[^;\n]*")


@pytest.mark.parametrize("file", CALLERS, ids=lambda file: file.name)
def test_every_call_of_an_example_is_one_that_the_program_takes(file):
    text = FILLED_IN.sub("1", re.sub(r"\\\n\s*", " ", file.read_text("utf-8")))
    found = [words for line in CALL.findall(re.sub("[\"']", "", text)) for words in calls(line)]

    assert found
    for words in found:
        check_call(words)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_is_one_that_the_shell_can_read(file):
    assert subprocess.run(["bash", "-n", file], check=False).returncode == 0


def test_the_job_for_kubernetes_divides_by_the_number_of_its_pods():
    [job] = yaml.safe_load_all((EXAMPLES / "kubernetes-indexed-job.yaml").read_text("utf-8"))
    [container] = job["spec"]["template"]["spec"]["containers"]

    assert f'--shard "$((JOB_COMPLETION_INDEX + 1))/{job["spec"]["completions"]}"' in container["args"][0]


def test_every_example_says_how_it_was_tried():
    page = (EXAMPLES / "README.md").read_text("utf-8")

    for file in FILES:
        assert f"`{file.relative_to(EXAMPLES)}`" in page
