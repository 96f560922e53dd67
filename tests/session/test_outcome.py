"""How a run went: one exit code, and the command to type next."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from batchrunner.errors import Exit
from batchrunner.lifecycle import State
from batchrunner.plan import Plan
from batchrunner.session.outcome import Report, Tally, decide_exit, next_command


def a_report(exit_code: Exit = Exit.OK, **states: int) -> Report:
    counts = {state: states.get(state, 0) for state in State}
    return Report(exit_code=exit_code, states=counts, plan=Plan(total=sum(counts.values())))


@pytest.mark.parametrize(
    ("tally", "stopped_with", "exit_code"),
    [
        (Tally(), None, Exit.OK),
        (Tally(bad=1), None, Exit.SOME_FAILED),
        (Tally(open=1), None, Exit.OPEN),
        (Tally(open=1, bad=1), None, Exit.OPEN),
        (Tally(open=1, bad=1), Exit.OUTAGE, Exit.OUTAGE),
        (Tally(), Exit.INTERRUPTED, Exit.INTERRUPTED),
    ],
)
def test_the_reason_of_a_sudden_end_counts_first_then_what_is_open_then_what_went_badly(
    tally, stopped_with, exit_code
):
    assert decide_exit(tally, stopped_with) is exit_code


@pytest.mark.parametrize(
    ("report", "command"),
    [
        (a_report(succeeded=3), "look"),
        (a_report(Exit.SOME_FAILED, failed=1, unknown=1), "decide"),
        (a_report(Exit.SOME_FAILED, failed=1), "again --retry failed"),
        (a_report(Exit.SOME_FAILED, cancelled=1), "again --retry cancelled"),
        (a_report(Exit.OPEN, submitted=1), "again"),
        (a_report(Exit.OK, pending=1, succeeded=1), "again"),
        (a_report(Exit.OUTAGE, pending=1, failed=1), "again"),
    ],
)
def test_the_next_command_is_the_one_a_person_would_type(report, command):
    assert next_command(report, again="again", resolve="decide", results="look") == command


def test_what_the_content_rules_stopped_is_not_offered_again():
    report = replace(a_report(Exit.SOME_FAILED, failed=2), errors={"moderated": 2})

    assert next_command(report, again="again", resolve="decide", results="look") == "look"


def test_a_report_as_data_is_plain_json_with_every_state():
    data = json.loads(json.dumps(a_report(Exit.SOME_FAILED, failed=2).as_json()))

    assert data["exit_code"] == 1
    assert data["states"] == {**dict.fromkeys(map(str, State), 0), "failed": 2}
    assert data["reason"] is None
