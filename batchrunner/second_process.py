"""How does a second process of ours help this one?  By what would hold the interpreter up.

For speed alone: whoever starts one can do the work here as well, and does where it does not come to its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from .credentials import TOKEN_NAMES

PROGRAM: Final = "import sys; sys.path[:] = {path}; from {module} import serve; serve()"


def can_help() -> bool:
    """Return whether there is a core for a second process, and we know how to start it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores > 1 and bool(sys.executable) and not hasattr(sys, "frozen")


@contextmanager
def started(module: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that calls `serve` of *module*, without the token; end it with the block.

    Raises OSError.
    """
    with subprocess.Popen(  # noqa: S603 (this same Python)
        [sys.executable, "-c", PROGRAM.format(path=sys.path, module=module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # whatever it stumbles over is met again, and told, by this process
        process_group=0,  # Ctrl-C is for this process to hear
        env={name: value for name, value in os.environ.items() if name not in TOKEN_NAMES},
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            with suppress(OSError):  # what it was not told any more
                process.stdin.close()  # type: ignore[union-attr]
