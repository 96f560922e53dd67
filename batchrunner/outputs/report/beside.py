"""How does the page of very many jobs not hold up the other files?  A second process writes it.

Its figures take half of a run's end, and the interpreter all that time.  It is for speed alone: where that
process does not come to its end, for whatever reason, the page is written here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from ...causes import Address
from ...ledger import Store
from ...second_process import started
from ..results import Interrupted, interruptible
from . import GoOn, write_report
from .figures import Summed

ASKED_EACH_S: Final = 0.05
"""How soon a second Ctrl-C is noticed."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which page is to be written."""

    ledger: Path
    path: Path
    address: Address
    by: int
    """The process that waits for it: without it nobody wants the page."""


def write_beside(ledger: Path, path: Path, address: Address, go_on: GoOn) -> bool:
    """Return whether a second process has written the page.  Raises Interrupted once *go_on* says no."""
    asked = pickle.dumps(Asked(ledger=ledger, path=path, address=address, by=os.getpid()))
    try:
        with started(__name__) as process:
            try:
                process.communicate(asked, timeout=ASKED_EACH_S)
            except subprocess.TimeoutExpired:
                _wait(process, go_on)
    except OSError:
        return False
    finally:
        with suppress(OSError):  # it may have been cut short
            path.with_name(f".{path.name}.part").unlink()
    return process.returncode == 0


def _wait(process: subprocess.Popen[bytes], go_on: GoOn) -> None:
    while process.poll() is None:
        if not go_on():
            raise Interrupted
        with suppress(subprocess.TimeoutExpired):
            process.wait(ASKED_EACH_S)


def serve() -> None:
    """Write the page that standard input asks for; whatever goes wrong ends this process."""
    asked: Asked = pickle.load(sys.stdin.buffer)  # noqa: S301 (it comes from the other one of us two)

    def go_on() -> bool:
        return os.getppid() == asked.by

    def apart(work: Callable[[Store], Summed]) -> Summed:
        with closing(Store.read_only(asked.ledger)) as reader, interruptible(reader, go_on):
            return work(reader)

    with closing(Store.read_only(asked.ledger)) as store:
        write_report(store, asked.path, asked.address, go_on, apart=apart)
