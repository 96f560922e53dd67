"""Every error code has plain words, and every group of failures the command that deals with just it."""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.causes import CAUSES, Address, cause_of, literal, narrowed, redo_command
from batchrunner.errors import ErrorCode
from batchrunner.lifecycle import State

HERE = Address(folder=Path("/films of may"))
OF_THE_RUN = {ErrorCode.ACCOUNT, ErrorCode.OUTAGE, ErrorCode.DISK}


def test_every_code_that_a_job_can_carry_is_explained():
    assert set(ErrorCode) - OF_THE_RUN == set(CAUSES)


def test_a_code_of_a_later_version_still_has_a_title():
    assert cause_of(State.FAILED, "lens_cap_on").title == "Lens cap on"
    assert cause_of(State.CANCELLED, None).title == "Cancelled"


@pytest.mark.parametrize(
    ("state", "code", "command"),
    [
        (State.FAILED, ErrorCode.MODERATED, "batchrunner resume '/films of may' --retry moderated"),
        (State.CANCELLED, None, "batchrunner resume '/films of may' --retry cancelled"),
        (State.UNKNOWN, ErrorCode.IN_DOUBT, "batchrunner resolve '/films of may'"),
        (State.READY, ErrorCode.BAD_OUTPUT, "batchrunner resume '/films of may' --collect-only"),
        (State.SUBMITTED, ErrorCode.JOB_TIMEOUT, "batchrunner resume '/films of may' --collect-only"),
    ],
)
def test_what_was_paid_is_collected_and_only_what_ended_is_submitted_again(state, code, command):
    assert redo_command(HERE, state, code) == command


def test_a_folder_of_another_service_is_resumed_there():
    there = Address(folder=Path("/out"), base_url="https://stage.example.com")

    assert there.command("resume") == "batchrunner resume /out --base-url https://stage.example.com"
    assert there.command("resolve") == "batchrunner resolve /out"


@given(st.text(), st.text())
def test_a_named_job_matches_itself_alone(job_id, other):
    assert fnmatchcase(job_id, literal(job_id))
    assert fnmatchcase(other, literal(job_id)) == (other == job_id)


def test_a_narrowed_command_names_each_job_as_the_shell_needs_it():
    words = shlex.split(narrowed("batchrunner resume '/films of may'", ["it's", "a*"]))

    assert words == ["batchrunner", "resume", "/films of may", "--only", "it's", "--only", "a[*]"]
