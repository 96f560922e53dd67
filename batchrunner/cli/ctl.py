"""The command ``ctl``: change a run while it works."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from .._types import Json
from ..control.calling import ask_run
from ..control.protocol import Cancel, Command, Pause, Resume, Set, Status, read_command, write_command
from ..durations import format_duration, parse_duration, parse_until
from ..errors import Exit, Usage
from ..folder.folder import Folder
from ..names import printable
from .options import folder_argument, json_option
from .words import say

ACTIONS: Final = ("pause", "resume", "set", "cancel", "status")

SETTINGS: Final = "concurrency=N, downloads=N, poll-interval=DURATION, until=HH:MM|ISO|+2h|never"


@click.command()
@folder_argument
@click.argument("action", type=click.Choice(ACTIONS), metavar="|".join(ACTIONS))
@click.argument("words", nargs=-1, metavar="[NAME=VALUE|ID|GLOB]...")
@json_option
def ctl(folder: Path, action: str, words: tuple[str, ...], as_json: bool) -> int:
    """Change the run that is on in DIR.  The action is one of these words:

    \b
    pause              submit nothing new; what is in flight is collected
    resume             submit again
    set NAME=VALUE...  concurrency=N, downloads=N, poll-interval=DURATION,
                       until=HH:MM|ISO|+2h|never
    cancel ID|GLOB...  cancel jobs, as far as the service lets go of them
    status             say how the run stands

    Only the user who started the run may; without a run it exits with 66.
    """
    command = _command(action, words)
    try:
        read_command(write_command(command))  # as the run will
    except ValueError as error:
        raise Usage(str(error), hint="`batchrunner ctl --help` lists what a run can be told") from None
    answer = ask_run(Folder(folder), command)
    if as_json:
        click.echo(json.dumps(answer))
    elif action == "status":
        click.echo(_status_words(answer))
    for line in _words(action, answer, folder):
        say(printable(line))
    return int(Exit.OPEN if answer.get("runs_on") or answer.get("failed") else Exit.OK)


def _command(action: str, words: tuple[str, ...]) -> Command:
    if words and action not in ("set", "cancel"):
        raise Usage(f"{action} takes nothing more, not {words[0]!r}", hint=f"leave {words[0]!r} out")
    if not words and action in ("set", "cancel"):
        raise Usage(f"{action} what?", hint=SETTINGS if action == "set" else "ids of jobs, or patterns")
    match action:
        case "set":
            return _set(words)
        case "cancel":
            return Cancel(words)
        case "pause":
            return Pause()
        case "resume":
            return Resume()
        case _:
            return Status()


def _set(words: tuple[str, ...]) -> Set:
    """Return what *words* set.  Raises Usage, naming what may be set."""
    changes: dict[str, Any] = {}
    for word in words:
        name, is_pair, value = word.partition("=")
        try:
            match name:
                case "concurrency" | "downloads":
                    changes[name] = _whole(value)
                case "poll-interval":
                    changes["poll_interval_s"] = parse_duration(value)
                case "until" if value == "never":
                    changes["until"] = math.inf
                case "until":
                    changes["until"] = parse_until(value, now=datetime.now()).timestamp()
                case _:
                    raise Usage(f"a run does not know the setting {word!r}", hint=SETTINGS)
        except ValueError as error:
            raise Usage(f"{word}: {error}" if is_pair else f"{word}: has no value", hint=SETTINGS) from None
    return Set(**changes)


def _whole(text: str) -> int:
    """Return the whole number *text*.  Raises ValueError in words for people."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text[:9])


def _words(action: str, answer: dict[str, Json], folder: Path) -> list[str]:
    match action:
        case "pause":
            in_flight = answer.get("in_flight")
            return [f"paused: nothing new is submitted, {in_flight} in flight are collected",
                    f"go on with `batchrunner ctl {folder} resume`"]  # fmt: skip
        case "resume":
            return ["submitting again"]
        case "set":
            return [_settings_words(answer)]
        case "cancel":
            return _cancel_words(answer)
        case _:
            return []


def _settings_words(answer: dict[str, Json]) -> str:
    until = answer.get("until")
    ends = f", until {datetime.fromtimestamp(until):%Y-%m-%d %H:%M}" if isinstance(until, int | float) else ""
    return (
        f"concurrency {answer.get('concurrency')}, downloads {answer.get('downloads')},"
        f" poll-interval {answer.get('poll_interval_s')} s{ends}"
    )


def _cancel_words(answer: dict[str, Json]) -> list[str]:
    never_sent, cancelled, runs_on, failed, not_open = (
        found if isinstance(found := answer.get(key), list) else []
        for key in ("never_sent", "cancelled", "runs_on", "failed", "not_open")
    )
    lines = [f"{len(never_sent):,} cancelled before they were sent, {len(cancelled):,} in the queue"]
    lines += [f"{job}: has begun, will finish and be billed; the run collects it" for job in runs_on]
    lines += [f"{job}: the service gave no clear answer; it is as it was" for job in failed]
    lines += [f"{job['id']}: is {job['state']}" for job in not_open if isinstance(job, dict)]
    if not any([never_sent, cancelled, runs_on, failed, not_open]):
        lines.append("no open job has such an id")
    return lines


def _status_words(answer: dict[str, Json]) -> str:
    phase = "paused by hand" if answer.get("paused") else str(answer.get("phase"))
    lines = [
        f"process {answer.get('pid')}: {phase},"
        f" {answer.get('in_flight')} in flight of at most {answer.get('limit')}",
        _settings_words(answer),
    ]
    if answer.get("waits"):
        lines.append(f"waits: {answer['waits']}")
    left_s = answer.get("left_s")
    if isinstance(left_s, int | float):
        lines.append(f"about {format_duration(left_s)} left")
    return "\n".join(printable(line) for line in lines)
