"""May a job be tried again after it failed, and when does one row fail alone?

Pure; attempts count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .._types import JobError
from ..errors import ErrorCode

MAX_DEFERRALS: Final = 10
"""So often one row may be turned away, while others are taken, before it fails alone."""


def may_retry(error: JobError, attempts: int, max_attempts: int) -> bool:
    """Return whether a job that failed at the service, after *attempts* paid tries, is tried again.

    What the service's content rules stopped would only be stopped again.
    """
    return error.code == ErrorCode.GENERATION_FAILED and attempts < max_attempts


@dataclass(slots=True)
class Deferral:
    """One row that was turned away (429, 503): its own fault, or the weather's?"""

    count: int = 0
    acceptances_then: int = 0

    def turned_away(self, acceptances: int, *, alone: bool) -> bool:
        """Count one more and return whether the row is now to fail alone.

        *acceptances* are the run's so far.  It only counts against the row when others were accepted
        since the last time, or when it is *alone* left to submit and others were accepted before.
        """
        if acceptances > self.acceptances_then or (alone and acceptances > 0):
            self.count += 1
        self.acceptances_then = acceptances
        return self.count >= MAX_DEFERRALS
