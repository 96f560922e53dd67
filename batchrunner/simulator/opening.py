"""How does one get a simulated service in one line?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .faults import Fault
from .memory import FileMemory
from .rules import Service
from .settings import SimulatorSettings


def open_simulator(
    settings: SimulatorSettings | None = None,
    *,
    state: Path | None = None,
    faults: Iterable[Fault] = (),
) -> Service:
    """Return a service; with *state* it goes on from that file and remembers in it.

    The caller closes it.  Raises sqlite3.Error when the file is not one of ours or cannot be written.
    """
    return Service(settings, memory=None if state is None else FileMemory(state), faults=faults)
