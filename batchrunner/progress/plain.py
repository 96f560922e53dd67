"""The run where there is no terminal: one line every few seconds, and one for each trouble."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..events import Listener, RunEvent
from .beat import every
from .stream import write
from .tally import Tally
from .words import line, told

EVERY_S: Final = 10.0


@contextmanager
def plain(tally: Tally, *, verbose: bool) -> Iterator[Listener]:
    """Give a listener that says what happens, while the block lasts."""

    def say(text: str) -> None:
        write(sys.stderr, text)

    def listener(event: RunEvent) -> None:
        words = told(event, verbose=verbose)
        if words is not None:
            say(words)
        if event.name == "draining":
            say(line(tally, event.at))

    with every(EVERY_S, lambda: say(line(tally, time.time()))):
        yield listener
