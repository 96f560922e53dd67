"""``run.log``: what happened, one JSON object a line, for the day after.

Events only: no token is ever part of one.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ..events import RunEvent
from .results import iso


class RunLog:
    """Appends events to the log; a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            os.close(self._file)

    def __call__(self, event: RunEvent) -> None:
        """Append *event*; a disk that takes no more ends the run through the ledger, not through its log."""
        line = json.dumps({**event.as_json(), "at": iso(event.at)}) + "\n"
        with contextlib.suppress(OSError):
            os.write(self._file, line.encode("ascii"))  # a line reaches the system whole
