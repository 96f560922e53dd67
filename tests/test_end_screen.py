"""The screen at a run's end: true, short, and right at any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from batchrunner.causes import FailureGroup, NamedJob
from batchrunner.cli.end_screen import summary_words
from batchrunner.errors import ErrorCode, Exit
from batchrunner.lifecycle import State
from batchrunner.plan import Plan
from batchrunner.session.outcome import Report

HERE = {"folder": "out/may", "again": "batchrunner run jobs.csv -o out/may"}


def a_group(
    count: int = 1, code: str | None = ErrorCode.MODERATED, state: State = State.FAILED, message: str = "no"
) -> FailureGroup:
    jobs = tuple(NamedJob(id=f"job-{row}", row=row) for row in range(2, min(count, 8) + 2))
    return FailureGroup(
        state=state, code=code, count=count, messages=((message, count),), more_messages=0, jobs=jobs
    )


def a_report(*failures: FailureGroup, **states: int) -> Report:
    counts = {state: states.get(state, 0) for state in State}
    for group in failures:
        counts[group.state] += group.count
    return Report(
        exit_code=Exit.SOME_FAILED if failures else Exit.OK,
        states=counts,
        plan=Plan(total=sum(counts.values())),
        errors={group.code: group.count for group in failures if group.code},
        failures=failures,
        cost_usd=112.4,
        seconds=8_040.0,
    )


def test_one_screen_says_what_became_of_everything_and_what_to_type_next():
    report = a_report(a_group(7, message="the prompt was rejected"), a_group(1, "refused"), succeeded=1118)

    assert summary_words(report, **HERE).splitlines() == [
        "1,118 succeeded · 8 failed   (1,126 jobs, 2 h 14 m)",
        "failed     7 moderated: stopped by the service's content rules; change the prompt",
        "           rows 2, 3, 4, 5, 6 and 2 more: “the prompt was rejected”",
        "failed     1 refused: the service did not take these rows; correct them first",
        "           row 2: “no”",
        "cost       112.40 USD so far, as the service says",
        "results    out/may/results.jsonl",
        "report     out/may/report.html",
        "next       batchrunner run jobs.csv -o out/may --retry failed",
    ]


def test_at_twenty_columns_the_words_stand_above_and_commands_stay_whole():
    report = replace(a_report(a_group(), succeeded=3), reason="drained by Ctrl-C", exit_code=Exit.OPEN)

    lines = summary_words(report, **HERE, width=20).splitlines()

    assert lines[:5] == ["3 succeeded", "1 failed", "(4 jobs, 2 h 14 m)", "stopped", "  drained by Ctrl-C"]
    assert lines[-2:] == ["next", "  batchrunner run jobs.csv -o out/may"]


@given(
    st.integers(min_value=20, max_value=200),
    st.lists(
        st.builds(
            a_group,
            st.integers(1, 10**6),
            st.sampled_from([None, *ErrorCode]),
            st.sampled_from([State.FAILED, State.CANCELLED, State.UNKNOWN, State.READY, State.SUBMITTED]),
            st.text(max_size=300),
        ),
        max_size=12,
    ),
)
def test_no_line_is_wider_than_the_terminal_but_paths_and_commands(width, groups):
    report = replace(a_report(*groups, succeeded=10**6), running_there=3, simulated=True)

    lines = summary_words(report, **HERE, width=width).splitlines()

    whole = ("out/may/", "batchrunner ")
    assert [line for line in lines if len(line) > width and not any(word in line for word in whole)] == []
    assert not any(ord(char) < 32 for line in lines for char in line)


def test_many_causes_still_fit_on_one_screen():
    groups = [a_group(2, code) for code in ErrorCode]

    lines = summary_words(a_report(*groups), **HERE).splitlines()

    assert len(lines) <= 24
    more = len(groups) - 6
    assert f"           and {2 * more} jobs for {more} other reasons: see the report" in lines


def test_files_that_a_stop_left_unwritten_are_not_claimed():
    report = replace(a_report(), exit_code=Exit.INTERRUPTED, results_written=False, report_written=False)

    said = summary_words(report, **HERE)

    assert "results.jsonl" not in said
    assert "report.html" not in said
    assert "results out/may reads the ledger" in said


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "line\nbreak"])
def test_what_the_service_says_cannot_move_the_cursor(text):
    said = summary_words(a_report(a_group(message=text)), **HERE)

    assert not set("\x1b\u202e") & set(said)
    assert len(said.splitlines()) == len(summary_words(a_report(a_group()), **HERE).splitlines())
