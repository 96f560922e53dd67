"""The page of commands and flags: read from the program, so it cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from batchrunner.cli import group

PREFIX: Final = "BATCHRUNNER_"


def command_pages() -> str:
    """Return every command with its flags, as Markdown."""
    return "\n\n".join(_page(context) for context in command_contexts())


def command_contexts() -> Iterator[click.Context]:
    """Yield every command, in the order of ``--help``, in a context that knows its name.

    Behind a command that has commands of its own come these, such as ``models list``.
    """
    parent = click.Context(group, info_name="batchrunner")
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        yield click.Context(command, info_name=name, parent=parent)
        inner = command.commands if isinstance(command, click.Group) else {}
        for own_name, own in inner.items():
            yield click.Context(own, info_name=f"{name} {own_name}", parent=parent)


def _page(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.info_name}", f"```text\n{usage}\n```", command.help or ""]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if rows := [_row(option, context) for option in options]:
        parts.append("\n".join(["| flag | meaning |", "| --- | --- |", *rows]))
    if command.epilog:
        parts.append(f"```text\n{command.epilog.removeprefix(chr(8)).strip()}\n```")
    return "\n\n".join(parts)


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    meaning = " ".join((option.help or "").split())
    if option.show_default and not option.is_flag and option.default is not None:
        meaning += f" Default: `{option.default}`."
    return f"| {_cell(names + value)} | {_cell(meaning + _own_variable(option))} |"


def _own_variable(option: click.Option) -> str:
    """Name the environment variables of a flag whose names do not follow from the flag's."""
    named = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    expected = variable(option)
    others = [name for name in named if name != expected]
    return f" Also: {', '.join(f'`{name}`' for name in others)}." if others else ""


def variable(option: click.Option) -> str:
    """Return the environment variable that stands for a flag."""
    long = next(name for name in option.opts if name.startswith("--"))
    return PREFIX + long.removeprefix("--").replace("-", "_").upper()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
