"""What can go wrong for a whole command, and the words a job's error may carry.

*BatchrunnerError* ends a command: it holds the message a person reads and the exit code.  A job's own
failure is never an exception; it is a JobError in the ledger, under one of the ErrorCode words.
What the service's answers mean is the table in answers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

from ._types import Problem


class Exit(IntEnum):
    """Exit codes, in the spirit of sysexits; where several apply the first of this list counts."""

    INTERRUPTED = 130  # stopped at once by a second Ctrl-C
    TERMINATED = 143  # stopped at once by SIGTERM
    HUNG_UP = 129  # stopped at once by SIGHUP: the terminal went away
    ACCOUNT = 77  # no token, token or balance refused, or a request that is someone else's
    DISK = 74  # the disk (or the object store) is full, or answers with an error
    FOLDER = 73  # the output folder is not usable: locked, of another service, results without a ledger
    OUTAGE = 69  # the service was away for longer than --max-outage
    INVALID = 65  # the manifest has problems; nothing was sent
    MISSING = 66  # there is no such manifest, or no ledger in the folder
    USAGE = 2  # the command's own words do not fit together, or a question could not be asked
    OPEN = 75  # work that was asked for is still open: the same command again goes on with it
    SOME_FAILED = 1  # all is done, but some jobs failed, were cancelled or are in doubt
    OK = 0  # all that was asked for succeeded
    INTERNAL = 70  # our mistake: please report it


class ErrorCode(StrEnum):
    """Why a job is where it is; every word can be given to ``--retry``."""

    IN_DOUBT = "in_doubt"  # unknown: the submission's answer was lost
    REFUSED = "refused"  # the service does not take this row
    GENERATION_FAILED = "generation_failed"  # it was taken and did not work out
    MODERATED = "moderated"  # the service's own words: its content rules
    CANCELLED_REMOTELY = "cancelled_remotely"  # somebody cancelled it at the service
    JOB_TIMEOUT = "job_timeout"  # still submitted: not waited for any longer in this run
    RESULT_LOST = "result_lost"  # the service no longer knows the request
    NO_OUTPUT = "no_output"  # done, but without a link
    DOWNLOAD_FAILED = "download_failed"  # still ready
    BAD_OUTPUT = "bad_output"  # still ready: what arrived is no whole film or picture
    ACCOUNT = "account"  # said of a run that stopped; its jobs stay as they were
    OUTAGE = "outage"  # the same
    DISK = "disk"  # the same
    GIVEN_UP = "given_up"  # the user's word on a doubt
    INTERNAL = "internal"  # our mistake: please report it with run.log


class BatchrunnerError(Exception):
    """Ends a command with one message and one exit code."""

    exit_code: Exit = Exit.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Usage(BatchrunnerError):
    """The command's own words do not fit together."""

    exit_code = Exit.USAGE


class ManifestMissing(BatchrunnerError):
    """There is no manifest, no ledger, or no run, where one was named."""

    exit_code = Exit.MISSING


class ManifestInvalid(BatchrunnerError):
    """The manifest was read and cannot be run; `problems` names every place."""

    exit_code = Exit.INVALID

    def __init__(
        self, message: str, problems: Sequence[Problem] = (), *, jobs: int = 0, hint: str | None = None
    ) -> None:
        """*jobs* is the number of rows that are fine."""
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        self.jobs = jobs


class FolderUnusable(BatchrunnerError):
    """The output folder belongs to somebody or something else (a lock, another origin, no ledger)."""

    exit_code = Exit.FOLDER


class FolderTaken(FolderUnusable):
    """Somebody else owns the folder at the moment; later it may be free."""


class DiskTrouble(BatchrunnerError):
    """The disk is full, read-only, or answers with an error."""

    exit_code = Exit.DISK


class AccountRefused(BatchrunnerError):
    """No token, a refused token, no balance, or a request that is someone else's."""

    exit_code = Exit.ACCOUNT


class ServiceAway(BatchrunnerError):
    """The service did not answer, or took nothing, for longer than ``--max-outage``."""

    exit_code = Exit.OUTAGE
