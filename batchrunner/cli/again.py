"""The command that was typed, to be typed again: without what was meant for this once."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from ..money.amounts import written
from .options import Usd

ONCE: Final = frozenset(
    {"retry", "redo", "limit", "sample", "until", "submit_only", "collect_only", "yes", "dry_run"}
)
"""Flags of one run; the others say how this batch is run and are kept."""

SECRET: Final = frozenset({"notify"})
"""Flags whose values nobody is to read over a shoulder: to be given again, or by the environment."""


def program() -> str:
    """Return how this program is called: by its name where the shell finds it, else as it was called."""
    called = sys.argv[0]
    if Path(called).name != "batchrunner" or shutil.which("batchrunner"):
        return "batchrunner"
    return shlex.quote(called)


def command_again() -> str:
    """Return the running command as a line for the shell; a manifest from standard input is resumed."""
    context = click.get_current_context()
    if context.params.get("manifest") == "-":
        return shlex.join([program(), "resume", str(context.params["folder"])])
    words = [word for parameter in context.command.params for word in _words(context, parameter)]
    return f"{program()} {shlex.join([str(context.info_name), *words])}"


def _words(context: click.Context, parameter: click.Parameter) -> Iterator[str]:
    name = parameter.name or ""
    if name in ONCE | SECRET or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    value = context.params[name]
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(parameter, click.Argument):
            yield str(one)
        else:
            yield parameter.opts[0]
            yield from () if one is True else (_shown(parameter, one),)


def _shown(parameter: click.Parameter, value: Any) -> str:
    if isinstance(parameter.type, Usd):
        return written(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
