"""What did a child process take: wall time, CPU, memory?

The kernel's own account of the child (`wait4`), not samples.  A child's peak memory is at least that of the
process that started it, so this package itself stays small and leaves heavy work to children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[1]
TOKEN: Final = {"RUNCOMFY_API_TOKEN": "benchmark"}
"""The simulator takes any token; `run` wants to see one."""

ENVIRON: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed programs, ours and peers, have their bytecode; a checkout's must be allowed to keep it."""

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""getrusage(2) counts memory in bytes on macOS, in KiB on Linux."""


class ChildFailed(Exception):
    """A measured process ended badly, so there is nothing to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process that has ended."""

    started_at: float
    """Unix seconds."""
    wall_s: float
    cpu_s: float
    """User and system time together."""
    peak_mb: float
    stdout: str


def python(*arguments: str | Path) -> list[str]:
    """Return the command line of this same interpreter."""
    return [sys.executable, *map(str, arguments)]


def batchrunner(*arguments: str | Path) -> list[str]:
    return python("-m", "batchrunner", *arguments)


def run(command: Sequence[str], *, cwd: Path = ROOT, environ: Mapping[str, str] = TOKEN) -> Child:
    """Run *command* to its end.  Raises ChildFailed, with its last words, when it does not exit with 0."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started_at, began = time.time(), time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env={**ENVIRON, **environ}, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise ChildFailed(f"{' '.join(command)} exited with {process.returncode}:\n{_text(err)[-2000:]}")
        return Child(
            started_at=started_at,
            wall_s=wall_s,
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss * _RSS_UNIT / 1e6,
            stdout=_text(out),
        )


def interrupted(
    command: Sequence[str], is_time: Callable[[], bool], *, signals: int = 1, between_s: float = 0.5
) -> float:
    """Run *command*, send Ctrl-C once *is_time*, and again; return the seconds from the last one to its end.

    Raises ChildFailed when it ends before.
    """
    environ = {**ENVIRON, **TOKEN}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not is_time():
            if process.poll() is not None:
                raise ChildFailed(f"{' '.join(command)} exited with {process.returncode} too early")
            time.sleep(0.05)
        for number in range(signals):
            time.sleep(between_s if number else 0)
            process.send_signal(signal.SIGINT)
        began = time.perf_counter()
        process.wait()
        return time.perf_counter() - began


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
