"""May a job be tried again after it failed, and when does one row fail alone?

Pure; attempts count from 1.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from .._types import JobError
from ..errors import ErrorCode

MAX_DEFERRALS: Final = 10
"""So often one row may be turned away, while others are taken, before it fails alone."""


def may_retry(error: JobError, attempts: int, max_attempts: int) -> bool:
    """Return whether a job that failed at the service, after *attempts* paid tries, is tried again.

    What the service's content rules stopped would only be stopped again.
    """
    return error.code == ErrorCode.GENERATION_FAILED and attempts < max_attempts


class Deferral(Struct):
    """One row that was turned away (429, 503): its own fault, or the weather's?"""

    tries: int = 0
    count: int = 0
    """How often it was the row's own fault, as far as one can tell."""
    finished_then: int = 0
    blamed: bool = False

    def other_accepted(self, finished: int) -> None:
        """Another row was taken, after *finished* of our requests had ended.

        If none has ended since this row was turned away, the service was not merely full.
        """
        self.blamed = self.blamed or finished == self.finished_then

    def turned_away(self, *, finished: int, acceptances: int, others: int) -> bool:
        """Count one more and return whether the row is now to fail alone.

        *finished* and *acceptances* are the run's so far, *others* our requests at the service now.  It is
        the row's fault when another was taken in its place, or when nothing else of ours was there.
        """
        self.tries += 1
        if self.blamed or (others <= 0 and acceptances > 0):
            self.count += 1
        self.blamed = False
        self.finished_then = finished
        return self.count >= MAX_DEFERRALS
