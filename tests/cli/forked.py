"""Commands forked by a process with everything loaded, and shown as ``subprocess.Popen`` shows processes.

What the forking processes do: fork.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


class Forked:
    """A command that was forked; what it says is in files until somebody asks."""

    def __init__(self, words: list[str], said: tuple[Path, Path], pid: int, end: Future[int]) -> None:
        self.args = words
        self.pid = pid
        self._said = said
        self._end = end

    @property
    def returncode(self) -> int | None:
        return self._end.result() if self._end.done() else None

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        try:
            return self._end.result(timeout)
        except NotYet:
            raise subprocess.TimeoutExpired(self.args, timeout or 0) from None

    def communicate(self, typed: None = None, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end and return what was said; what is *typed* had to be known at the start."""
        self.wait(timeout)
        out, err = (stream.read_text(encoding="utf-8") for stream in self._said)
        return out, err

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and we are about to hear of it
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """Processes that fork commands, as many as run at once."""

    def __init__(self) -> None:
        self._all: list[subprocess.Popen[str]] = []
        self._free: list[subprocess.Popen[str]] = []
        self._streams = TemporaryDirectory(prefix="batchrunner-calls-")
        self._numbers = count()

    def start(self, words: list[str], *, env: dict[str, str], cwd: Path, typed: str | None = None) -> Forked:
        """Fork a command without waiting for it."""
        number = next(self._numbers)
        read, out, err = (Path(self._streams.name, f"{number}.{name}") for name in ("in", "out", "err"))
        read.write_text(typed or "", encoding="utf-8")
        for stream in (out, err):
            stream.touch()  # one that is killed at once has not opened it
        try:
            forks = self._free.pop()
        except IndexError:
            forks = self._new()
        assert forks.stdin is not None
        assert forks.stdout is not None
        order = {"arguments": words, "env": env, "cwd": str(cwd), "streams": [str(read), str(out), str(err)]}
        forks.stdin.write(json.dumps(order) + "\n")
        forks.stdin.flush()
        pid, end = int(forks.stdout.readline()), Future[int]()
        threading.Thread(target=self._await, args=(forks, end), daemon=True).start()
        return Forked(words, (out, err), pid, end)

    def _await(self, forks: subprocess.Popen[str], end: Future[int]) -> None:
        """Wait for the end of the command that *forks* has forked."""
        assert forks.stdout is not None
        told = forks.stdout.readline()
        if told:
            self._free.append(forks)
            end.set_result(int(told))
        else:
            end.set_exception(ChildProcessError("the process that forks commands has ended"))

    def _new(self) -> subprocess.Popen[str]:
        forks = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.fork"], cwd=ROOT, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._all.append(forks)
        return forks

    def close(self) -> None:
        for forks in self._all:
            if forks in self._free:
                forks.communicate(timeout=PATIENCE_S)
            else:  # nobody ended its command
                forks.kill()
                forks.wait()
        self._free.clear()
        self._streams.cleanup()
