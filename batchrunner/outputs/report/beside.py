"""How does the page of very many jobs not hold up the other files?  A second process writes it.

Its figures, where they are counted, and its jobs take the interpreter for seconds.  It is for speed
alone: where that process does not come to its end, for whatever reason, the page is written here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from ...causes import Address
from ...ledger import Store
from ...second_process import started
from ..remembered import GoOn, NewTally, look
from ..results import Interrupted
from . import write_report

ASKED_EACH_S: Final = 0.05
"""How soon a second Ctrl-C is noticed."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which page is to be written."""

    ledger: Path
    path: Path
    address: Address
    by: int
    """The process that waits for it: without it nobody wants the page."""


def write_beside(ledger: Path, path: Path, address: Address, go_on: GoOn) -> list[NewTally] | None:
    """Let a second process write the page; return the tallies to be kept, or None if it did not.

    The ledger is one whose files are about to be written: what has changed since the last ones is noted.
    Raises Interrupted once *go_on* says no.
    """
    asked = Asked(ledger=ledger, path=path, address=address, by=os.getpid())
    try:
        with started(__name__) as process:
            said = _wait(process, pickle.dumps(asked), go_on)
    except OSError:
        return None
    finally:
        with suppress(OSError):  # it may have been cut short
            path.with_name(f".{path.name}.part").unlink()
    return pickle.loads(said) if process.returncode == 0 else None  # noqa: S301 (it is one of us)


def _wait(process: subprocess.Popen[bytes], asked: bytes, go_on: GoOn) -> bytes:
    """Return all that the process says."""
    to_be_said: bytes | None = asked  # little: a pipe takes it at once, whether or not it is read
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(to_be_said, timeout=ASKED_EACH_S)[0]
        to_be_said = None
        if not go_on():
            raise Interrupted


def serve() -> None:
    """Write the page that standard input asks for; whatever goes wrong ends this process."""
    asked: Asked = pickle.load(sys.stdin.buffer)  # noqa: S301 (it comes from the other one of us two)

    def go_on() -> bool:
        return os.getppid() == asked.by

    # At one moment: the other process may remember its files meanwhile, whose pieces are the same.
    with closing(Store.read_only(asked.ledger)) as store, store.snapshot():
        tallies = write_report(store, asked.path, asked.address, go_on, parts=look(store, is_noted=True))
    sys.stdout.buffer.write(pickle.dumps(tallies))
