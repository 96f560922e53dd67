"""Which part of a manifest does a process read, where two of them share one?

Every other stretch of it, so that both come along at the same pace.
"""

from __future__ import annotations

from typing import Final, NamedTuple

STRETCH: Final = 16  # blocks: a megabyte of JSON Lines; what is found in it waits in a pipe


class Part(NamedTuple):
    """One part of several."""

    number: int
    """From 0."""
    of: int

    def holds(self, block: int) -> bool:
        """Return whether the block of that number, from 0, is one of this part's."""
        return block // STRETCH % self.of == self.number


WHOLE: Final = Part(0, 1)
