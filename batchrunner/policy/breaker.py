"""Is this batch as a whole going wrong?  Then nothing new is submitted before it costs more.

Pure.  Every attempt that ended counts once: a film, or a failure (refused, failed, without output).
"""

from __future__ import annotations

import re
from typing import Final, Self

from msgspec import Struct

MIN_SAMPLE: Final = 20
"""So many attempts must have ended before a share of failures means anything."""

SPEC: Final = re.compile(r"(?P<share>\d{1,3}(?:\.\d+)?)\s*%|(?P<first>[1-9]\d{0,6})|(?P<off>off)")


class Breaker(Struct):
    """Trips when the first `first` attempts all failed, or when a `share` of all has."""

    first: int | None = 20
    share: float | None = None
    ended: int = 0
    failures: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``20`` (the first 20 all failed), ``20%`` (a share) or ``off``.  Raises ValueError."""
        match = SPEC.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is neither a number such as 20, a share such as 20%, nor off")
        if match["off"]:
            return cls(first=None)
        if match["first"]:
            return cls(first=int(match["first"]))
        share = float(match["share"]) / 100
        if not 0 < share <= 1:
            raise ValueError(f"a share lies above 0% and up to 100%, not at {text}")
        return cls(first=None, share=share)

    def trips(self, *, failed: bool) -> str | None:
        """Count one more attempt that ended; return the reason to halt, once there is one."""
        self.ended += 1
        self.failures += failed
        if self.first is not None and self.failures == self.ended >= self.first:
            return f"the first {self.ended} all failed"
        if self.share is not None and self.ended >= MIN_SAMPLE and self.failures >= self.share * self.ended:
            return f"{self.failures} of {self.ended} failed"
        return None
