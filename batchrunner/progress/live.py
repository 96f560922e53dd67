"""The run on a terminal: a view that stays at its foot and is drawn anew four times a second.

A terminal that was resized has broken or cut the lines of the last view, each kind in its own way; so the
screen is cleared, once, and the view begins at its top.  What scrolled by is still in the terminal's memory,
and in run.log.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ..audience import silence
from ..events import Listener, RunEvent
from .beat import every
from .screen import ASCII, UNICODE, Line, screen
from .tally import FAILURES, Tally
from .words import told

REDRAWN_S: Final = 0.25

ECHO: Final = 2
"""Cells left free at the end of each line: there the terminal writes its ``^C``."""

Layout = Callable[[int, int, bool], list[Line]]
"""From (width, height, whether the terminal shows Unicode) to lines."""


class View:
    """Lines that are drawn over again and again at the foot of a terminal."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._stream = stream
        self._layout = layout
        self._size = _size_of(stream)
        # The environment's COLUMNS and LINES are as old as the shell that exported them.
        self._console = Console(file=stream, width=self._size[0], height=self._size[1])
        self._live = self._new_live()

    def __enter__(self) -> View:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._live.stop()
        except OSError:
            silence(self._stream)

    def draw(self) -> None:
        """Draw the view as it is now."""
        try:
            self._follow_resize()
            self._live.update(self._lines(), refresh=True)
        except OSError:  # the terminal is gone, the run is not
            silence(self._stream)

    def say(self, text: str, style: str = "") -> None:
        """Let a line scroll by above the view."""
        try:
            self._console.print(Text(text), style=style or None)
        except OSError:
            silence(self._stream)

    def _new_live(self) -> Live:
        return Live(
            self._lines(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def _follow_resize(self) -> None:
        size = _size_of(self._stream)
        if size == self._size:
            return
        self._size = size
        self._live.stop()
        self._console.size = size
        self._console.clear()
        self._live = self._new_live()
        self._live.start()

    def _lines(self) -> Group:
        width, height = self._size
        unicode = "utf" in (self._stream.encoding or "").lower()
        lines = self._layout(max(1, width - ECHO), max(1, height - 1), unicode)
        return Group(*(Text.assemble(*pieces, no_wrap=True, overflow="crop") for pieces in lines))


def _size_of(stream: TextIO) -> tuple[int, int]:
    """Return the terminal's columns and lines; a terminal that does not know them is as most are."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


@contextmanager
def live(tally: Tally, *, verbose: bool) -> Iterator[Listener]:
    """Give a listener for which the view is kept up, while the block lasts."""

    def layout(width: int, height: int, unicode: bool) -> list[Line]:
        return screen(tally, time.time(), width, height, UNICODE if unicode else ASCII)

    with View(sys.stderr, layout) as view:

        def listener(event: RunEvent) -> None:
            if event.name in FAILURES and not verbose:
                return  # the view names the latest itself
            words = told(event, verbose=verbose)
            if words is not None:
                view.say(words, "yellow" if event.name in ("warning", "unrecorded") else "dim")

        with every(REDRAWN_S, view.draw):
            yield listener
