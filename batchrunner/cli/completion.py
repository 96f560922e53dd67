"""The command ``completion``: what makes the Tab key know our commands, flags and their words."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from ..errors import Exit

SHELLS: Final = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the completion script of a shell, for its start-up file.

    \b
    bash, in ~/.bashrc:                     eval "$(batchrunner completion bash)"
    zsh, in ~/.zshrc (after compinit):      eval "$(batchrunner completion zsh)"
    fish, in ~/.config/fish/config.fish:    batchrunner completion fish | source
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(context.find_root().command, {}, "batchrunner", "_BATCHRUNNER_COMPLETE")
    click.echo(script.source())
    return int(Exit.OK)
