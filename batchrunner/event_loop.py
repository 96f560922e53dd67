"""Which event loop a run of ours goes on: uvloop's where it is installed, a sixth of the CPU cheaper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TypeVar, TypeVarTuple, Unpack

import anyio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(function: Callable[[Unpack[Ts]], Awaitable[T]], *arguments: *Ts) -> T:
    """Run an async *function* to its end, in a process or thread that is ours alone."""
    return anyio.run(function, *arguments, backend_options={"use_uvloop": find_spec("uvloop") is not None})
