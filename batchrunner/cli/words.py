"""What the command line says to a person: errors, problems, plans, summaries.

Everything foreign (ids, server text) is made safe for the terminal here.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from ..audience import unheard
from ..errors import BatchrunnerError, ManifestInvalid
from ..lifecycle import State
from ..names import printable
from ..plan import Plan
from .money_words import quote_lines

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
    "in_doubt": "in doubt: may have been paid (resolve lists them; --retry unknown submits them again)",
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
