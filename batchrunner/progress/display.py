"""Which display does a run get, and who listens to its events?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..events import Listener, RunEvent
from .plain import plain
from .stream import can_be_drawn_on, print_event, write
from .tally import Tally
from .words import told


@contextmanager
def display(
    mode: str, *, as_json: bool = False, quiet: bool = False, verbose: bool = False
) -> Iterator[Listener]:
    """Give a listener that shows the run: *mode* is ``auto``, ``live``, ``plain`` or ``none``.

    The live view needs a terminal; elsewhere it is plain.
    """
    tally = Tally()
    listeners: list[Listener] = [tally]
    if as_json:
        listeners.append(print_event)
    if quiet or mode == "none":
        yield _all([*listeners, _say_what_must_be_said])
    elif _is_live(mode, as_json=as_json):
        from .live import live  # rich: most runs by programs never load it

        with live(tally, verbose=verbose) as show:
            yield _all([*listeners, show])
    else:
        with plain(tally, verbose=verbose) as show:
            yield _all([*listeners, show])


def _is_live(mode: str, *, as_json: bool) -> bool:
    if mode == "plain" or (mode == "auto" and as_json):
        return False
    return can_be_drawn_on(sys.stderr)


def _say_what_must_be_said(event: RunEvent) -> None:
    """An id that was paid for and could not be recorded is said whatever was asked."""
    if event.name == "unrecorded":
        write(sys.stderr, str(told(event, verbose=True)))


def _all(listeners: list[Listener]) -> Listener:
    def listener(event: RunEvent) -> None:
        for one in listeners:
            one(event)

    return listener
