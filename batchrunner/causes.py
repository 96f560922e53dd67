"""What does an error code mean to a person, and which command redoes just the jobs that carry it?

Pure: one table for the end screen, ``status`` and the report.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from .errors import ErrorCode
from .lifecycle import State

FEW: Final = 12
"""So many jobs are named one by one in a command."""


class Cause(Struct, frozen=True, kw_only=True):
    """An error code in plain words."""

    title: str
    meaning: str
    """What is true and what the person can do, in one sentence."""


CAUSES: Final[Mapping[str, Cause]] = {
    ErrorCode.IN_DOUBT: Cause(
        title="In doubt",
        meaning="may have been accepted and paid: look at your generations on the service's site",
    ),
    ErrorCode.REFUSED: Cause(
        title="Refused by the service", meaning="the service did not take these rows; correct them first"
    ),
    ErrorCode.GENERATION_FAILED: Cause(
        title="The generation failed", meaning="the generation failed, every attempt"
    ),
    ErrorCode.MODERATED: Cause(
        title="Stopped by the content rules",
        meaning="stopped by the service's content rules; change the prompt",
    ),
    ErrorCode.CANCELLED_REMOTELY: Cause(
        title="Cancelled at the service", meaning="cancelled at the service"
    ),
    ErrorCode.JOB_TIMEOUT: Cause(
        title="Not finished in time", meaning="not finished in time; the next run goes on waiting"
    ),
    ErrorCode.RESULT_LOST: Cause(
        title="Results lost by the service", meaning="the service no longer knows these requests"
    ),
    ErrorCode.NO_OUTPUT: Cause(title="Finished without an output", meaning="finished without an output"),
    ErrorCode.DOWNLOAD_FAILED: Cause(
        title="Paid, not downloaded yet",
        meaning="paid and not downloaded yet; the next run tries again",
    ),
    ErrorCode.BAD_OUTPUT: Cause(
        title="Damaged on arrival",
        meaning="what arrived is no whole film or picture; the next run fetches again",
    ),
    ErrorCode.GIVEN_UP: Cause(title="Given up", meaning="submissions in doubt that you gave up"),
    ErrorCode.INTERNAL: Cause(
        title="Our mistake", meaning="our fault: please report it with run.log"
    ),
}  # fmt: skip

CANCELLED: Final = Cause(title="Cancelled", meaning="cancelled before they began")
UNEXPLAINED: Final = Cause(title="Failed", meaning="see the messages")


def cause_of(state: State, code: str | None) -> Cause:
    """Return the words for jobs in *state* under *code*."""
    if code is None:
        return CANCELLED if state is State.CANCELLED else UNEXPLAINED
    return CAUSES.get(code, Cause(title=code.replace("_", " ").capitalize(), meaning="see the messages"))


def meaning(code: str) -> str:
    """Return what is true of jobs under *code* and what can be done; empty for a code we do not know."""
    return CAUSES[code].meaning if code in CAUSES else ""


class Address(Struct, frozen=True, kw_only=True):
    """How a folder is named to a command that may be typed anywhere."""

    folder: Path
    base_url: str | None = None
    """The service's address, where the folder does not lead there by itself."""

    def command(self, word: str, *flags: str) -> str:
        """Return ``batchrunner WORD FOLDER FLAGS`` as a line for the shell."""
        service = ("--base-url", self.base_url) if self.base_url and word == "resume" else ()
        return shlex.join(["batchrunner", word, str(self.folder.absolute()), *service, *flags])


class NamedJob(Struct, frozen=True, kw_only=True):
    """A job of a group, as a person finds it again."""

    id: str
    row: int
    """The line its row starts on."""


class FailureGroup(Struct, frozen=True, kw_only=True):
    """Jobs that ended, or wait, for the same reason."""

    state: State
    code: str | None
    """None: nobody said why (cancelled before it began)."""
    count: int
    messages: tuple[tuple[str, int], ...]
    """The most frequent messages, each with how many jobs carry it."""
    more_messages: int
    """How many different messages there are beyond these."""
    jobs: tuple[NamedJob, ...]
    """The first ones in manifest order."""


def redo_command(address: Address, state: State, code: str | None) -> str:
    """Return the command that deals with the jobs in *state* under *code*.

    What is paid already is collected (free); only what has ended is submitted again.
    """
    match state:
        case State.UNKNOWN:
            return address.command("resolve")
        case State.FAILED | State.CANCELLED:
            return address.command("resume", "--retry", code or str(state))
        case _:
            return address.command("resume", "--collect-only")


def narrowed(command: str, job_ids: Sequence[str]) -> str:
    """Return *command* for these jobs alone, where a bare one would also submit what is still pending."""
    only = (word for one in job_ids for word in ("--only", literal(one)))
    return shlex.join([*shlex.split(command), *only])


def literal(job_id: str) -> str:
    """Return the pattern that matches *job_id* and nothing else (``*``, ``?`` and ``[`` mean more)."""
    return re.sub(r"([*?\[])", r"[\1]", job_id)
