"""The processes that fork the lives of batches, as a test holds them; what they do: nursery.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
TOKEN = "rc-secret-5b1c0ffee-5b1c0ffee"
PATIENCE_S = 60.0
WORKERS = 3


class Nursery:
    """One forking process; a command at a time."""

    def __init__(self, began_at: float) -> None:
        ours = ("RUNCOMFY", "BATCHRUNNER", "COMFY_", "XDG_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        # With its fast clock every socket looks old: runs would knock at each other's, to see who lives.
        self._sockets = TemporaryDirectory(prefix="batchrunner-ears-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.nursery", repr(began_at)],
            cwd=ROOT, env={**kept, "RUNCOMFY_API_TOKEN": TOKEN, "XDG_RUNTIME_DIR": self._sockets.name},
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def begin(self, order: dict[str, Any]) -> int:
        """Fork a command and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def end(self) -> int:
        """Wait for the command and return its wait status."""
        return int(self._answer()["status"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.communicate(timeout=PATIENCE_S)
        self._sockets.cleanup()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Nurseries:
    """As many nurseries as commands live at once; each is begun when there is no free one."""

    def __init__(self) -> None:
        self._began_at = time.time()
        self._all: list[Nursery] = []
        self._free: SimpleQueue[Nursery] = SimpleQueue()

    @contextmanager
    def one(self) -> Iterator[Nursery]:
        try:
            nursery = self._free.get_nowait()
        except Empty:
            nursery = Nursery(self._began_at)
            self._all.append(nursery)
        try:
            yield nursery
        finally:
            self._free.put(nursery)

    def at_once(self, cases: Sequence[Callable[[], T]]) -> list[T]:
        """Let several cases live side by side, WORKERS at a time."""
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            return [future.result() for future in [pool.submit(case) for case in cases]]

    def close(self) -> None:
        for nursery in self._all:
            nursery.close()
