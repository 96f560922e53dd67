"""How often does Python look for garbage while much is made that stays, or rows that make none?"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECT_AFTER: Final = 20_000  # objects made and not let go: a few megabytes; Python's own count is 700


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Let the garbage collector look less often: rows and requests go without cycles, and modules stay.

    It would otherwise take up to a third of the time.  Still bounded: it looks after so many that stay.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
