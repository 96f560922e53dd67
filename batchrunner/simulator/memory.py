"""What does the simulated service remember, and does it survive the end of the process?

A Memory only keeps; the rules decide.  `save` returns when the record would survive a SIGKILL: the service
answers an acceptance after that, as a real one must.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import asdict

from .._types import Inputs


class Fate(StrEnum):
    """How a request ends; decided when it is accepted."""

    FILM = "film"
    FAILED = "failed"
    MODERATED = "moderated"


class Accepted(Struct, frozen=True, kw_only=True):
    """One accepted submission."""

    number: int
    """Counts acceptances, from 1."""
    request_id: str
    model: str
    inputs: Inputs
    accepted_at: float
    start_at: float
    end_at: float
    cost_usd: float
    fate: Fate
    cancelled_at: float | None = None
    link: int = 1
    """Version of the links that /result gives."""
    link_dead: bool = False
    """The links of that version lead nowhere; the next look at /result makes new ones."""


class Memory(Protocol):
    """Where accepted requests are kept."""

    def load(self) -> Iterable[Accepted]:
        """All of them, in the order of acceptance."""

    def save(self, records: Iterable[Accepted]) -> None:
        """Keep new records and the changed ones, all or none."""

    def close(self) -> None:
        """Let go of what is held."""


class ForgetfulMemory:
    """Keeps nothing: the service's own tables are enough while the process lives."""

    def load(self) -> Iterable[Accepted]:
        return ()

    def save(self, records: Iterable[Accepted]) -> None:
        pass

    def close(self) -> None:
        pass


class FileMemory:
    """A SQLite file; a rehearsal that was killed half-way goes on from it.

    In WAL mode with ``synchronous=NORMAL`` a commit is a write without an fsync: it survives the process, not
    a power cut, which is enough for a stand-in and does not hold up the event loop.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.  Raises sqlite3.Error when it is not one of ours or cannot be written."""
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS accepted (number INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT"
        )

    def load(self) -> Iterable[Accepted]:
        for (record,) in self._db.execute("SELECT record FROM accepted ORDER BY number"):
            fields = json.loads(record)
            yield Accepted(**{**fields, "fate": Fate(fields["fate"])})

    def save(self, records: Iterable[Accepted]) -> None:
        rows = [(record.number, json.dumps(asdict(record))) for record in records]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO accepted VALUES (?, ?)", rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
