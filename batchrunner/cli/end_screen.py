"""The screen a run ends with: what succeeded, what didn't and why, the cost, the files, what to type next.

Laid out for the terminal's width; paths and commands are never broken, so that they can be copied.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from ..causes import FailureGroup, meaning
from ..durations import format_duration
from ..errors import Exit
from ..lifecycle import State
from ..names import printable
from ..session.outcome import Report, next_command
from .again import program
from .money_words import cost_lines
from .words import WORD

LABEL: Final = 11
"""Columns of the words that stand before the lines."""

NARROW: Final = 44
"""Below so many columns the words stand above the lines."""

MOST_CAUSES: Final = 6
ROWS: Final = 5
LONGEST_MESSAGE: Final = 160

_LABELS: Final = {State.SUBMITTED: "running", State.READY: "to fetch"}

Line = tuple[str, str, bool]
"""A label, a text, and whether the text may be broken into lines."""


def terminal_width() -> int | None:
    """Return the columns of the person's terminal; None when there is none and lines may be of any length."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def summary_words(report: Report, *, folder: str, again: str, width: int | None = None) -> str:
    """Return the screen for a terminal *width* columns wide (None: every line whole)."""
    lines = [*_how_it_went(report), *_failures(report), *_money(report), *_what_next(report, folder, again)]
    return "\n".join([*_headline(report, width), *_laid_out(lines, width)])


def _headline(report: Report, width: int | None) -> list[str]:
    """The counts; broken between two of them only."""
    states = report.states
    others = [f"{n:,} {WORD[state]}" for state, n in states.items() if n and state is not State.SUCCEEDED]
    end = f"({_jobs(report.plan.total)}, {format_duration(report.seconds)})"
    lines = [f"{states[State.SUCCEEDED]:,} {WORD[State.SUCCEEDED]}"]
    for between, part in [*((" · ", other) for other in others), ("   ", end)]:
        joined = f"{lines[-1]}{between}{part}"
        lines[-1:] = [joined] if width is None or len(joined) <= width else [lines[-1], part]
    return lines if width is None else [piece for line in lines for piece in _broken(line, width)]


def _how_it_went(report: Report) -> Iterator[Line]:
    if report.simulated:
        yield "simulated", "these are rehearsal films: nothing was generated, nothing is billed", True
    if report.reason and report.exit_code not in (Exit.OK, Exit.SOME_FAILED):
        yield "stopped", printable(report.reason), True
        if report.hint:
            yield "", printable(report.hint), True
    if n := report.running_there:
        runs = "1 job runs" if n == 1 else f"{n:,} jobs run"
        yield "billing", f"{runs} on at the service and will be billed; the next run collects them", True
    if n := report.unstored:
        films = "1 film is" if n == 1 else f"{n:,} films are"
        yield "to store", f"{films} here and not in the store yet; the next run tries again", True
        if report.unstored_why:
            yield "", printable(report.unstored_why, LONGEST_MESSAGE), True


def _failures(report: Report) -> Iterator[Line]:
    for group in report.failures[:MOST_CAUSES]:
        label = _LABELS.get(group.state, WORD[group.state])
        code = f" {group.code}" if group.code else ""
        why = meaning(group.code) if group.code else ""
        yield label, f"{group.count:,}{code}{': ' if why else ''}{why}", True
        said = f": “{printable(group.messages[0][0], LONGEST_MESSAGE)}”" if group.messages else ""
        yield "", f"{_rows(group)}{said}", True
    if more := report.failures[MOST_CAUSES:]:
        jobs = _jobs(sum(group.count for group in more))
        reasons = "1 other reason" if len(more) == 1 else f"{len(more)} other reasons"
        yield "", f"and {jobs} for {reasons}: see the report", True


def _rows(group: FailureGroup) -> str:
    rows = [str(job.row) for job in group.jobs[:ROWS]]
    more = group.count - len(rows)
    if group.count == 1:
        return f"row {rows[0]}"
    return f"rows {', '.join(rows)}{f' and {more:,} more' if more else ''}"


def _money(report: Report) -> Iterator[Line]:
    for line in cost_lines(report):
        yield line[:LABEL].strip(), line[LABEL:].strip(), True


def _what_next(report: Report, folder: str, again: str) -> Iterator[Line]:
    resolve, results = (f"{program()} {word} {shlex.quote(folder)}" for word in ("resolve", "results"))
    if report.results_written:
        yield "results", f"{folder}/results.jsonl", False
    else:
        yield "results", f"not written at this stop; {results} reads the ledger", True
    if report.report_written:
        yield "report", f"{folder}/report.html", False
    yield "next", next_command(report, again=again, resolve=resolve, results=results), False


def _laid_out(lines: Iterable[Line], width: int | None) -> Iterator[str]:
    narrow = width is not None and width < NARROW
    margin = 2 if narrow else LABEL
    for label, text, breakable in lines:
        if narrow and label:
            yield label
        parts = [text]
        if width is not None and breakable:
            parts = _broken(text, width - margin)
        first = " " * margin if narrow else f"{label:<{LABEL}}"
        yield f"{first}{parts[0]}"
        yield from (f"{' ' * margin}{part}" for part in parts[1:])


def _broken(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False) if len(text) > width else [text]


def _jobs(n: int) -> str:
    return "1 job" if n == 1 else f"{n:,} jobs"
