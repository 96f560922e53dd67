"""Lines on a stream that may lose its reader: a closed pipe or terminal never ends a paid run."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from ..events import RunEvent


def write(stream: TextIO, line: str) -> None:
    """Write a line; when nobody reads any more, the run goes on unheard."""
    try:
        stream.write(line + "\n")
        stream.flush()
    except OSError:
        silence(stream)


def can_be_drawn_on(stream: TextIO) -> bool:
    """Return whether *stream* is a terminal that lets lines be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def silence(stream: TextIO) -> None:
    """Send what is still buffered, and all that follows, nowhere: it must not fail at the exit either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_event(event: RunEvent) -> None:
    """Give an event to a program, as one line of JSON on standard output."""
    write(sys.stdout, json.dumps(event.as_json()))
