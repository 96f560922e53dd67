"""Lines on a stream that may lose its reader: a closed pipe or terminal never ends a paid run."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from ..audience import unheard
from ..events import RunEvent


def write(stream: TextIO, line: str) -> None:
    """Write a line; when nobody reads any more, the run goes on unheard."""
    with unheard(stream):
        stream.write(line + "\n")
        stream.flush()


def can_be_drawn_on(stream: TextIO) -> bool:
    """Return whether *stream* is a terminal that lets lines be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def print_event(event: RunEvent) -> None:
    """Give an event to a program, as one line of JSON on standard output."""
    write(sys.stdout, json.dumps(event.as_json()))
