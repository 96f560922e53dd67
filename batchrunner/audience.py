"""Who is listening?  Nobody, when a pipe or a terminal was closed: then words go nowhere and nothing fails.

A paid run is not ended, and no exit code changed, by a reader that has left.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, TextIO

STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


@contextmanager
def unheard(stream: TextIO) -> Iterator[None]:
    """Let what is written to *stream* inside the block go nowhere, from now on, once nobody reads it."""
    try:
        yield
    except OSError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Let all that is written to *stream* from now on go nowhere, and fail nothing at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def leave(code: int) -> NoReturn:
    """End the process with *code*, and at once.

    Taking several hundred modules apart, object by object, takes an interpreter longer than most commands
    work.  Nothing here waits for that: what has to be durable was synced before.
    """
    for stream in (sys.stdout, sys.stderr):
        with unheard(stream):
            stream.flush()
    os._exit(code)


def complete_streams() -> None:
    """Make the standard streams usable, whatever the process was started with.

    A closed one (``<&-``) becomes the null device, so that no ledger gets its number; and a character that
    the terminal's encoding does not have is spelled out.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
