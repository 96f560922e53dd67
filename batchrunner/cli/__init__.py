"""The command line: arguments -> calls -> exit code.  Commands are loaded when they are used.

Data goes to standard output, words to standard error.  Every error ends here, in one message and one exit
code.
"""

from __future__ import annotations

import errno
import gc
import os
import sqlite3
import sys
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from .. import __version__
from ..audience import complete_streams, leave, silence
from ..collector import rarely_collected
from ..errors import BatchrunnerError, Exit


class Home(NamedTuple):
    """Where a command lives, and what ``--help`` says of it without loading it."""

    module: str
    summary: str


COMMANDS: Final = {
    "run": Home("run", "Run a manifest: submit, collect, download; again after any interruption."),
    "validate": Home("validate", "Check a manifest against the model's schema; nothing is sent."),
    "plan": Home("run", "Say what a run would submit, collect and skip, and why."),
    "resume": Home("run", "Go on with a folder without its manifest."),
    "status": Home("status", "Count a folder's jobs by state."),
    "results": Home("results", "Print a folder's results, one job a line."),
    "export": Home("export", "Write a folder's jobs as CSV, JSON Lines, Parquet, WebDataset or a data set."),
    "report": Home("report", "Write a folder's report.html anew: figures, failures, a gallery of the films."),
    "verify": Home("verify", "Check a folder's ledger and files; --repair fetches flawed ones again."),
    "cancel": Home("cancel", "Cancel a folder's jobs, as far as the service lets go of them."),
    "ctl": Home("ctl", "Pause, resume or change the run that is on in a folder."),
    "resolve": Home("resolve", "Say what became of submissions whose answers were lost."),
    "merge": Home("merge", "Make one folder of a folder's shards."),
    "models": Home("models", "Look into the catalogue: list, show, schema."),
    "init": Home("init", "Write a manifest to begin with: for a model, or from a CSV file."),
    "simulate": Home("simulate", "Stand in for the service on a local port: no account, no money."),
    "completion": Home("completion", "Print what makes the Tab key know all this, in bash, zsh and fish."),
}


FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a redirected standard output says whose disk is full; the output folder's is handled before."""


class LazyGroup(click.Group):
    """A group that loads a command's module when the command is used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever reads the data has seen enough; click would say "1"
            silence(sys.stdout)
            return int(Exit.OK)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = COMMANDS.get(cmd_name)
        if home is None:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{home.module}"), cmd_name)
        gc.freeze()  # what a command is made of is not garbage before its end
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, home.summary) for name, home in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="batchrunner")
def group() -> None:
    """Run manifests of paid media-generation jobs.

    Never pays twice for a job, never loses a result that was paid for: after any interruption the same
    command goes on where it was.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit the process with its code."""
    os.umask(0o077)  # folders and files are private to the user
    complete_streams()
    leave(run_main(arguments))


def run_main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        with rarely_collected():
            code = group.main(arguments, prog_name="batchrunner", standalone_mode=False)
    except BatchrunnerError as error:
        from .words import say_error

        say_error(error)
        return int(error.exit_code)
    except click.ClickException as error:
        error.show()
        return int(Exit.USAGE)
    except sqlite3.DatabaseError as error:
        from ..files.disk import as_disk_trouble
        from .words import say_error

        trouble = as_disk_trouble(error)
        say_error(trouble)
        return int(trouble.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return int(Exit.INTERRUPTED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            click.echo(f"error: standard output cannot be written: {error.strerror}", err=True)
            return int(Exit.DISK)
        import traceback  # which reads sources, and most commands never need it

        traceback.print_exc()
        words = "our mistake, not yours; what was done is recorded, and the same command goes on from there"
        click.echo(f"error: {words}\n       please report it with the lines above", err=True)
        return int(Exit.INTERNAL)
    return code if isinstance(code, int) else int(Exit.OK)
