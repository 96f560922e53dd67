"""``--on-finish CMD``: what the user wants done when a run has ended, however it ended.

The command gets the summary as JSON on its standard input and the counts in its environment, and never the
token.  Its failure is told and changes no exit code.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .._types import Json
from ..credentials import TOKEN_NAMES
from ..durations import format_duration
from ..lifecycle import State

PATIENCE_S: Final = 60.0
"""How long the command may take before it is killed, with all that it started."""

OPEN: Final = (State.PENDING, State.SUBMITTING, State.SUBMITTED, State.READY)


def hook_environment(
    environ: Mapping[str, str], token: str, folder: Path, summary: Mapping[str, Json]
) -> dict[str, str]:
    """Return the environment of the command: the run's, without the token, with what became of the run.

    ``BATCHRUNNER_ON_FINISH`` is not handed on: a command that runs batchrunner would call itself for ever.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in (*TOKEN_NAMES, "BATCHRUNNER_ON_FINISH") and not (token and token in value)
    }
    states = summary.get("states")
    counts = {name: n for name, n in states.items() if isinstance(n, int)} if isinstance(states, dict) else {}
    return {
        **kept,
        "BATCHRUNNER_EXIT_CODE": str(summary["exit_code"]),
        "BATCHRUNNER_FOLDER": str(folder.resolve()),
        **{f"BATCHRUNNER_{state.upper()}": str(counts.get(state, 0)) for state in State},
        "BATCHRUNNER_OPEN": str(sum(counts.get(state, 0) for state in OPEN)),
    }


def run_hook(
    command: str, *, token: str, folder: Path, summary: Mapping[str, Json], patience_s: float = PATIENCE_S
) -> str | None:
    """Run the user's *command* by the shell; return what went wrong, None when nothing did.

    What it prints goes to standard error: standard output belongs to the run's own data.
    """
    sys.stderr.flush()
    try:
        process = subprocess.Popen(  # noqa: S602 (the user's own command line)
            command, shell=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=sys.stderr.fileno(),
            env=hook_environment(os.environ, token, folder, summary),
        )  # fmt: skip
    except (OSError, ValueError) as error:
        return f"--on-finish could not be started: {error}"
    try:
        process.communicate(json.dumps(summary).encode() + b"\n", timeout=patience_s)
    except subprocess.TimeoutExpired:
        _kill(process)
        return f"--on-finish took longer than {format_duration(patience_s)} and was killed"
    except BaseException:  # Ctrl-C: the command is in a group of its own and did not get it
        _kill(process)
        raise
    return f"--on-finish ended with {process.returncode}" if process.returncode else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the command and what it started."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
