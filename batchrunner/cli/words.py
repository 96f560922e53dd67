"""What the command line says to a person: errors, problems, plans, summaries.

Everything foreign (ids, server text) is made safe for the terminal here.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import Final

import click

from ..audience import unheard
from ..causes import meaning
from ..durations import format_duration
from ..errors import BatchrunnerError, Exit, ManifestInvalid
from ..lifecycle import State
from ..names import printable
from ..outcome import Report, next_command
from ..plan import Plan
from .again import program
from .money_words import cost_lines, quote_lines

MAX_PROBLEMS: Final = 200
"""So many problems are printed; ``--json`` gives all."""

MAX_EDITS: Final = 10


def say(text: str = "") -> None:
    """Say something to the person, on standard error."""
    with unheard(sys.stderr):
        click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)


def say_error(error: BatchrunnerError) -> None:
    """Say what ended the command and what can be done."""
    if isinstance(error, ManifestInvalid):
        for problem in error.problems[:MAX_PROBLEMS]:
            say(printable(str(problem)))
        if len(error.problems) > MAX_PROBLEMS:
            say(f"… and {len(error.problems) - MAX_PROBLEMS} more (validate --json gives all)")
    say(f"{click.style('error:', fg='red', bold=True)} {printable(error.message)}")
    if error.hint:
        say(f"       {printable(error.hint)}")


def on_terminal() -> bool:
    """Return whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Ask a yes-or-no question on the terminal; no without one."""
    if not on_terminal():
        return False
    return click.confirm(f"{printable(question)} Go on?", default=False, err=True)


REASONS: Final = {
    "new": "new",
    "edited": "edited",
    "asked_for": "asked for again",
    "attempts_left": "failed before, attempts left",
    "in_flight": "at the service already",
    "file_missing": "a file is gone: fetched again, nothing is paid again",
    "not_downloaded": "finished, not downloaded yet",
    "done": "done",
    "failed": "failed (--retry failed runs them again)",
    "cancelled": "cancelled (--retry cancelled)",
    "in_doubt": "in doubt: may have been paid (--retry unknown submits them again)",
    "not_selected": "not selected",
    "limit": "beyond --limit",
    "collect_only": "not submitted (--collect-only)",
    "submit_only": "not collected (--submit-only)",
}


def plan_words(plan: Plan) -> str:
    """Return a plan as a person reads it."""
    parts = f"{plan.submit:,} to submit, {plan.collect:,} to collect, {plan.skip:,} to skip"
    lines = [f"{plan.total:,} jobs: {parts}"]
    lines += [f"  {n:>7,}  {REASONS.get(reason, reason)}" for reason, n in plan.reasons.items()]
    if plan.gone:
        lines.append(
            f"  {plan.gone:>7,}  no longer in the manifest ({plan.gone_to_collect:,} of them to collect)"
        )
    lines += [
        f"  row {edit.row}: {printable(edit.id)}: {printable(edit.changes)}"
        for edit in plan.edits[:MAX_EDITS]
    ]
    if len(plan.edits) > MAX_EDITS:
        lines.append(f"  … and {len(plan.edits) - MAX_EDITS:,} more edited rows")
    return "\n".join([*lines, *(quote_lines(plan.quote) if plan.submit else [])])


def summary_words(report: Report, *, folder: str, again: str) -> str:
    """Return the screen a run ends with: what succeeded, what didn't and why, and what to type next."""
    counts = [f"{n:,} {WORD[state]}" for state, n in report.states.items() if n or state is State.SUCCEEDED]
    lines = [" · ".join(counts) + f"   ({_jobs(report.plan.total)}, {format_duration(report.seconds)})"]
    if report.reason and report.exit_code not in (Exit.OK, Exit.SOME_FAILED):
        lines.append(f"stopped    {printable(report.reason)}")
        if report.hint:
            lines.append(f"           {printable(report.hint)}")
    if report.running_there:
        n = report.running_there
        jobs = "1 job runs" if n == 1 else f"{n:,} jobs run"
        lines.append(f"billing    {jobs} on at the service and will be billed; the next run collects them")
    lines += [f"{code:<18} {n:,}  {meaning(code)}" for code, n in report.errors.items()]
    if report.simulated:
        lines.append("simulated  these are rehearsal films: nothing was generated, nothing is billed")
    lines += cost_lines(report)
    lines.append(f"results    {folder}/results.jsonl")
    resolve, results = (f"{program()} {word} {shlex.quote(folder)}" for word in ("resolve", "results"))
    lines.append(f"next       {next_command(report, again=again, resolve=resolve, results=results)}")
    return "\n".join(lines)


def _jobs(n: int) -> str:
    return "1 job" if n == 1 else f"{n:,} jobs"


WORD: Final = {
    State.PENDING: "pending",
    State.SUBMITTING: "submitting",
    State.SUBMITTED: "submitted",
    State.READY: "ready to download",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.UNKNOWN: "in doubt",
}
