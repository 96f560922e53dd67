"""A local stand-in for the RunComfy Model API: for rehearsals, demonstrations and tests; no account, no
money.

`Service` is the service's own rules, pure; `transport` puts it behind httpx in this process, `serve` behind a
real socket.  What can go wrong on it: `Fault`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fault_text import load_faults, parse_fault
    from .faults import Fault
    from .in_process import transport
    from .memory import FileMemory
    from .opening import open_simulator
    from .rules import Service
    from .server import serve
    from .settings import Films, NotReady, Shape, SimulatorSettings

__all__ = [
    "Fault",
    "FileMemory",
    "Films",
    "NotReady",
    "Service",
    "Shape",
    "SimulatorSettings",
    "load_faults",
    "open_simulator",
    "parse_fault",
    "serve",
    "transport",
]

_HOMES = {
    "Fault": "faults",
    "FileMemory": "memory",
    "Films": "settings",
    "NotReady": "settings",
    "Service": "rules",
    "Shape": "settings",
    "SimulatorSettings": "settings",
    "load_faults": "fault_text",
    "open_simulator": "opening",
    "parse_fault": "fault_text",
    "serve": "server",
    "transport": "in_process",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: most commands never need the simulator."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f"{__name__}.{home}"), name)
