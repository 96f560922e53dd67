"""What a command can end with: exit codes that stay, and errors that carry theirs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from batchrunner import errors
from batchrunner._types import Place, Problem
from batchrunner.errors import BatchrunnerError, ErrorCode, Exit, ManifestInvalid

SYSEXITS = {
    "OK": 0, "SOME_FAILED": 1, "USAGE": 2, "INVALID": 65, "MISSING": 66, "OUTAGE": 69, "INTERNAL": 70,
    "FOLDER": 73, "DISK": 74, "OPEN": 75, "ACCOUNT": 77, "HUNG_UP": 129, "INTERRUPTED": 130,
    "TERMINATED": 143,
}  # fmt: skip

ENDINGS = {
    "Usage": Exit.USAGE,
    "ManifestMissing": Exit.MISSING,
    "ManifestInvalid": Exit.INVALID,
    "FolderUnusable": Exit.FOLDER,
    "FolderTaken": Exit.FOLDER,
    "DiskTrouble": Exit.DISK,
    "AccountRefused": Exit.ACCOUNT,
    "ServiceAway": Exit.OUTAGE,
}

CODES = {
    "in_doubt", "refused", "generation_failed", "moderated", "cancelled_remotely", "job_timeout",
    "result_lost", "no_output", "download_failed", "bad_output", "account", "outage", "disk", "given_up",
    "internal",
}  # fmt: skip


def test_the_exit_codes_are_those_that_scripts_rely_on():
    assert {exit_.name: int(exit_) for exit_ in Exit} == SYSEXITS


def test_the_error_codes_are_those_that_results_and_retry_rely_on():
    assert {str(code) for code in ErrorCode} == CODES


def test_every_error_of_a_command_has_its_exit_code():
    kinds = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, BatchrunnerError) and kind is not BatchrunnerError
    }

    assert kinds == ENDINGS


def test_every_error_that_ends_a_command_says_what_a_person_can_do():
    """An invalid manifest does so at each of its problems."""
    without = []
    for source in sorted(Path(errors.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ENDINGS:
                names_places = node.func.id == "ManifestInvalid" and len(node.args) > 1
                has_hint = "hint" in {keyword.arg for keyword in node.keywords}
                if not (has_hint or names_places):
                    without.append(f"{source.name}:{node.lineno}")
    assert without == []


def test_an_error_says_its_message_and_keeps_the_hint_apart():
    error = errors.Usage("these two exclude each other", hint="take one out")

    assert str(error) == error.message == "these two exclude each other"
    assert error.hint == "take one out"


def test_an_invalid_manifest_names_every_place():
    problem = Problem(
        place=Place(file="jobs.csv", line=7, row=6),
        message="is too long",
        id="fox",
        field="text",
        hint="cut it",
    )

    error = ManifestInvalid("the manifest has 1 problem", [problem], jobs=3)

    assert error.problems == (problem,)
    assert error.jobs == 3
    assert str(problem) == "jobs.csv:7: job 'fox' text: is too long (cut it)"


@pytest.mark.parametrize("hint", [None, "cut it"])
def test_a_problem_as_data_has_the_fields_that_programs_read(hint):
    place = Place(file="jobs.csv", line=7, row=6)

    data = Problem(place=place, message="is too long", hint=hint).as_json()

    assert data == {
        "file": "jobs.csv",
        "line": 7,
        "row": 6,
        "id": None,
        "field": None,
        "message": "is too long (cut it)" if hint else "is too long",
    }
