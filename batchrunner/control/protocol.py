"""What may be said to a run: one JSON object on one line, and what it means.

Pure.  Whatever does not fit is a ValueError whose message the asker gets.
"""

from __future__ import annotations

import json
import math
from typing import Final, TypeAlias

from msgspec import Struct

from .._types import Json

LONGEST_LINE: Final = 1 << 16
"""Bytes of a line, either way."""

MOST_AT_ONCE: Final = 10_000
"""Jobs or downloads; a number beyond is a slip of the finger."""


class Pause(Struct, frozen=True):
    """Submit nothing new; what is in flight is collected."""


class Resume(Struct, frozen=True):
    """Submit again."""


class Set(Struct, frozen=True, kw_only=True):
    """Change settings of the run; None leaves one as it is."""

    concurrency: int | None = None
    downloads: int | None = None
    poll_interval_s: float | None = None
    until: float | None = None
    """The instant at which no more is submitted; infinity for never."""


class Cancel(Struct, frozen=True):
    """Cancel jobs as far as the service lets go of them."""

    ids: tuple[str, ...]
    """Ids or patterns; at least one."""


class Status(Struct, frozen=True):
    """Say how the run stands."""


Command: TypeAlias = Pause | Resume | Set | Cancel | Status


def write_command(command: Command) -> bytes:
    """Return *command* as a line."""
    said: dict[str, Json] = {"do": type(command).__name__.lower()}
    match command:
        case Set():
            until = "never" if command.until == math.inf else command.until
            given = {"concurrency": command.concurrency, "downloads": command.downloads,
                     "poll_interval_s": command.poll_interval_s, "until": until}  # fmt: skip
            said |= {name: value for name, value in given.items() if value is not None}
        case Cancel(ids=ids):
            said["ids"] = list(ids)
    return write_line(said)


def write_line(said: dict[str, Json]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def read_line(line: bytes) -> dict[str, Json]:
    """Return the object on a line.  Raises ValueError when there is none."""
    if len(line) > LONGEST_LINE:
        raise ValueError("the line is too long")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("the line is no JSON") from error
    if not isinstance(said, dict):
        raise ValueError("the line is no JSON object")
    return said


def read_command(line: bytes) -> Command:
    """Return the command on a line.  Raises ValueError for what is none."""
    said = read_line(line)
    match said.pop("do", None):
        case "pause":
            command: Command = Pause()
        case "resume":
            command = Resume()
        case "status":
            command = Status()
        case "cancel":
            command = Cancel(_ids(said.pop("ids", None)))
        case "set":
            command = _set(said)
        case _:
            raise ValueError("a run knows pause, resume, set, cancel and status")
    if said:
        raise ValueError(f"a run does not know what {', '.join(sorted(said))} is to mean here")
    return command


def _ids(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError("cancel needs the ids of jobs, or patterns")
    return tuple(str(each) for each in value)


def _set(said: dict[str, Json]) -> Set:
    until = said.pop("until", None)
    changes = Set(
        concurrency=_count(said, "concurrency"),
        downloads=_count(said, "downloads"),
        poll_interval_s=_positive("poll_interval_s", said.pop("poll_interval_s", None)),
        until=math.inf if until == "never" else _positive("until", until),
    )
    if changes == Set():
        raise ValueError("set needs what to change: concurrency, downloads, poll-interval or until")
    return changes


def _count(said: dict[str, Json], name: str) -> int | None:
    value = said.pop(name, None)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_AT_ONCE:
        raise ValueError(f"{name} must be a whole number from 1 to {MOST_AT_ONCE}")
    return value


def _positive(name: str, value: Json) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be more than 0")
    return float(value)
