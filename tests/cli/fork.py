"""A process that has imported the command line, and forks one command after another.

``python -m tests.cli.fork`` reads an order a line (JSON: arguments, environment, folder, files for the three
streams) and answers with the command's process id and, when it has ended, its exit code.  Each is a real
process with streams of its own, at a tenth of the price of a new interpreter.  What comes before ``main`` in
a process (how Python sets itself up, and late imports) is for the tests that start one anew: command.start.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import batchrunner
from batchrunner.cli import COMMANDS, main

from ..warm import warm_up

PROGRAM = str(Path(batchrunner.__file__).with_name("__main__.py"))


def serve() -> None:
    for home in COMMANDS.values():
        importlib.import_module(f"batchrunner.cli.{home.module}")
    with contextlib.suppress(ImportError):
        importlib.import_module("uvloop")
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be(json.loads(line))
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _be(order: dict[str, Any]) -> None:
    """Be the command, to its end."""
    try:
        for handle, path in enumerate(order["streams"]):
            opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(opened, handle)
            os.close(opened)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        sys.argv = [PROGRAM, *order["arguments"]]
        main(order["arguments"])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(99)


if __name__ == "__main__":
    serve()
