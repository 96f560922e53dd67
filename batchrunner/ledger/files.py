"""A job's outputs in the ledger: their links, the names they get, and whether they stand under them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from .._types import Output
from ..files.naming import Layout, Subject, candidates
from ..lifecycle import Event, State
from ..names import collision_key
from .moves import NO_ERROR, Moves
from .queries import Artifact, Entry

LAYOUT: Final = "layout"
"""The folder's fact that says how its files are called."""

FOLDER_OF_KIND: Final = {"video": "videos", "image": "images", "audio": "audio"}


class Files(Moves):
    """The steps between known outputs and files under their names."""

    def renew_outputs(self, seq: int, outputs: Sequence[Output]) -> list[Artifact]:
        """Replace the links of what is not saved yet by those of a fresh ``/result``."""
        entry = self.entry(seq)
        for n, output in enumerate(outputs, start=1):
            self.connection.execute(
                "UPDATE artifacts SET url = ?, key = ?"
                " WHERE job = ? AND generation = ? AND n = ? AND saved_at IS NULL",
                (output.url, output.key, seq, entry.generation, n),
            )
        return self.artifacts(seq, entry.generation)

    def reserve(
        self,
        seq: int,
        n: int,
        *,
        kind: str,
        extension: str,
        size_bytes: int,
        sha256: str,
        taken: Callable[[str], bool],
    ) -> str:
        """Give an output its file name, before the file gets it, and return it (relative to the folder).

        *taken* says whether a name is in use on disk by something the ledger does not know.
        """
        entry = self.entry(seq)
        known = self.connection.execute(
            "SELECT file, sha256 FROM artifacts WHERE job = ? AND generation = ? AND n = ?",
            (seq, entry.generation, n),
        ).fetchone()
        file: str | None = known["file"] if (known["file"] or "").endswith(extension) else None
        for candidate in self._names(seq, n, FOLDER_OF_KIND[kind], extension):
            if file is not None:
                break
            if not self._key_in_use(collision_key(candidate)) and not taken(candidate):
                file = candidate
        assert file is not None  # the candidates never end
        self.connection.execute(
            "UPDATE artifacts SET file = ?, file_key = ?, kind = ?, bytes = ?, sha256 = ?"
            " WHERE job = ? AND generation = ? AND n = ?",
            (file, collision_key(file), kind, size_bytes, sha256, seq, entry.generation, n),
        )
        return file

    def file_saved(self, seq: int, n: int, now: float) -> Entry:
        """Record that one output stands under its name; with the last of them the job has succeeded."""
        entry = self.entry(seq)
        self.connection.execute(
            "UPDATE artifacts SET saved_at = ? WHERE job = ? AND generation = ? AND n = ?",
            (now, seq, entry.generation, n),
        )
        if not all(artifact.saved for artifact in self.artifacts(seq, entry.generation)):
            return entry
        self._move(seq, State.READY, Event.SAVED, saved_at=now, **NO_ERROR)
        return self._settled(seq)

    def file_missing(self, seq: int, missing: Sequence[int]) -> Entry:
        """Record that outputs *missing* (their n) are no longer there: they are fetched again.

        Of one that the store has, only the name becomes free.
        """
        entry = self.entry(seq)
        stored = {n for n in missing if self.local_gone(seq, entry.generation, n)}
        missing = [n for n in missing if n not in stored]
        if not missing:
            return entry
        if entry.state is not State.READY:  # a job of several outputs may wait for another one already
            self._move(seq, State.SUCCEEDED, Event.FILE_MISSING, saved_at=None)
        self.connection.executemany(
            "UPDATE artifacts SET saved_at = NULL WHERE job = ? AND generation = ? AND n = ?",
            [(seq, entry.generation, n) for n in missing],
        )
        return self.entry(seq)

    def local_gone(self, seq: int, generation: int, n: int) -> bool:
        """Record that a stored output's local copy is gone, and free its name; False for one not stored."""
        done = self.connection.execute(
            "UPDATE artifacts SET saved_at = NULL, file = NULL, file_key = NULL"
            " WHERE (job, generation, n) = (?1, ?2, ?3)"
            " AND EXISTS (SELECT 1 FROM stored s WHERE (s.job, s.generation, s.n) = (?1, ?2, ?3))",
            (seq, generation, n),
        )
        return done.rowcount > 0

    def superseded_files(self) -> list[tuple[str, str]]:
        """Return (file, its place under ``superseded/``) for what an edit or redo left in the way."""
        rows = self.connection.execute(
            "SELECT a.file, a.generation, a.job FROM generations g"
            " JOIN artifacts a ON a.job = g.job AND a.generation = g.generation"
            " WHERE a.saved_at IS NOT NULL AND a.file NOT LIKE 'superseded/%'"
        ).fetchall()
        names: dict[str, str] = {}
        keys: set[str] = set()
        for file, generation, seq in rows:
            name = _superseded_name(file, f"g{generation}")
            if collision_key(name) in keys or self._key_in_use(collision_key(name)):
                name = _superseded_name(file, f"g{generation}-{seq}")
            keys.add(collision_key(name))
            names[file] = name
        return list(names.items())

    def file_moved(self, file: str, moved_to: str) -> None:
        self.connection.execute(
            "UPDATE artifacts SET file = ?, file_key = ? WHERE file = ?",
            (moved_to, collision_key(moved_to), file),
        )

    def _set_outputs(self, entry: Entry, outputs: Sequence[Output]) -> None:
        of = entry.seq, entry.generation
        self.connection.executemany(
            "INSERT INTO artifacts (job, generation, n, key, url) VALUES (?, ?, ?, ?, ?)",
            [(*of, n, output.key, output.url) for n, output in enumerate(outputs, start=1)],
        )

    def _names(self, seq: int, n: int, folder: str, extension: str) -> Iterator[str]:
        """Yield the names an output may get by the folder's layout, the wanted one first."""
        row = self.connection.execute("SELECT * FROM jobs WHERE seq = ?", (seq,)).fetchone()
        subject = Subject(id=row["id"], model=row["model"], index=row["position"], row=row["row"],
                          inputs=json.loads(row["inputs"]), meta=json.loads(row["meta"]))  # fmt: skip
        return candidates(Layout.parse(self.fact(LAYOUT)), subject, n, folder, extension, seq)

    def _key_in_use(self, key: str) -> bool:
        return (
            self.connection.execute("SELECT 1 FROM artifacts WHERE file_key = ?", (key,)).fetchone()
            is not None
        )


def _superseded_name(file: str, mark: str) -> str:
    path = Path(file)
    return f"superseded/{path.parent}/{path.stem}.{mark}{path.suffix}"
