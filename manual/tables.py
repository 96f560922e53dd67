"""The tables of states, exit codes and error codes, as Markdown, from the tables the program goes by."""

from __future__ import annotations

from collections.abc import Iterable

from batchrunner.errors import ErrorCode, Exit
from batchrunner.lifecycle import TRANSITIONS, Event, State

from .beside import words_beside


def states() -> str:
    """Return what each state means and what leads out of it."""
    true_outside = words_beside(State)
    return _table(
        ["state", "what is true", "what can happen, and what follows"],
        ([f"`{state}`", true_outside[state.name], _ways_out(state)] for state in TRANSITIONS),
    )


def _ways_out(state: State) -> str:
    happens = words_beside(Event)
    ways = (f"{happens[event.name]} → `{follows}`" for event, follows in TRANSITIONS[state].items())
    return "<br>".join(ways)


def exit_codes() -> str:
    """Return the exit codes; where several apply, the first counts."""
    meaning = words_beside(Exit)
    return _table(["code", "meaning"], ([str(int(code)), meaning[code.name]] for code in Exit))


def error_codes() -> str:
    """Return the words a job's error may carry."""
    meaning = words_beside(ErrorCode)
    return _table(["`error.code`", "meaning"], ([f"`{code}`", meaning[code.name]] for code in ErrorCode))


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
