"""What happens in all shards at once: their logs, read as they grow, as the events of one run.

Any display that shows a run shows all of them so.  What concerns one shard's run by itself (its beginning and
end, its own limit) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from .._types import JobId
from ..events import RunEvent
from ..shards import shard_paths

OF_ONE_SHARD: Final = frozenset({"started", "summary", "weather", "forecast", "draining", "control"})

MOST_BYTES: Final = 1 << 20
"""Of one log at a time."""


class Logs:
    """The logs of a folder's shards, from now on."""

    def __init__(self, whole: Path) -> None:
        self._whole = whole
        self._read = {path: _size(path) for path in self._paths()}
        """How many bytes of each have been read."""

    def news(self) -> Iterator[RunEvent]:
        """Yield what was told since the last time, each shard's in its order."""
        for path in self._paths():
            yield from self._news_of(path)

    def _paths(self) -> list[Path]:
        return [folder / "run.log" for _, folder in shard_paths(self._whole)]

    def _news_of(self, path: Path) -> Iterator[RunEvent]:
        before = self._read.get(path, 0)
        if _size(path) <= before:
            return
        with path.open("rb") as file:
            file.seek(before)
            told = file.read(MOST_BYTES)
        whole = told[: told.rfind(b"\n") + 1]  # a line that is being written waits for its end
        self._read[path] = before + len(whole)
        for line in whole.splitlines():
            event = parse_line(line)
            if event is not None and event.name not in OF_ONE_SHARD:
                yield event


def parse_line(line: bytes) -> RunEvent | None:
    """Return the event on a line of ``run.log``; None for what is none."""
    try:
        said = json.loads(line)
        name, at = said.pop("event"), datetime.fromisoformat(said.pop("at")).timestamp()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    job = said.pop("id", None)
    return RunEvent(name=name, at=at, id=None if job is None else JobId(job), data=said)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
