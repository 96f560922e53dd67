"""How are many jobs handed on that were jobs at first sight?  A column at a time, as they were read.

Nearly all that is done with a million jobs is done for many of them at once; a job by itself is made where
somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from .._types import Inputs, Job, JobId, Json, Place
from .alike import Alike, alike_among
from .by_column import written_by_column
from .fingerprint import canonical, fingerprint_of, fingerprints, id_from


class WrittenBlock(NamedTuple):
    """Such jobs as they are kept: everything is text."""

    file: str
    lines: Sequence[int]
    """The line of each."""
    model: str
    given_ids: Sequence[str] | None
    """None where the manifest gives none of them an id."""
    inputs: list[str]
    """The canonical JSON of each."""
    notes: list[str]
    """The same of what stands beside it."""
    own_prints: list[str] | None
    """The fingerprints, where they are not those of the texts of the inputs."""
    alike: Alike | None
    """How many are alike in the inputs that were to be counted; None where they were not."""

    @property
    def size(self) -> int:
        return len(self.lines)

    def prints(self) -> list[str]:
        """Return the fingerprint of each."""
        return fingerprints(self.model, self.inputs) if self.own_prints is None else self.own_prints


class JobBlock(Struct, frozen=True, kw_only=True):
    """Jobs of one model, whose rows stand in one file, one behind the other."""

    file: str
    lines: Sequence[int]
    """The line of each."""
    model: str
    given_ids: Sequence[str] | None
    """None where the manifest gives none of them an id."""
    inputs_by_name: Mapping[str, Sequence[Json]]
    """A value for each job; None for a job without one, which is no value of any input here."""
    shared: Inputs
    """What all of them have besides."""
    notes_by_name: Mapping[str, Sequence[Json]]
    shared_notes: Inputs

    @property
    def size(self) -> int:
        return len(self.lines)

    def inputs(self) -> list[Inputs]:
        """Return the inputs of each job."""
        return _rows(self.inputs_by_name, self.shared, self.size)

    def metas(self) -> list[Inputs]:
        """Return the notes beside each job."""
        return _rows(self.notes_by_name, self.shared_notes, self.size)

    def written(self, counting: Sequence[str] = ()) -> WrittenBlock:
        """Return them as they are kept, and how many are alike in the inputs *counting*."""
        written, prints = written_by_column(self.inputs_by_name, self.shared), None
        if written is None:
            inputs = self.inputs()
            written = list(map(canonical, inputs))
            prints = list(map(partial(fingerprint_of, self.model), inputs, written))
        return WrittenBlock(
            file=self.file,
            lines=self.lines,
            model=self.model,
            given_ids=self.given_ids,
            inputs=written,
            notes=self._written_notes(),
            own_prints=prints,
            alike=alike_among(self.inputs_by_name, self.shared, counting, self.size),
        )

    def _written_notes(self) -> list[str]:
        if not self.notes_by_name:
            return [canonical(self.shared_notes)] * self.size
        return written_by_column(self.notes_by_name, self.shared_notes) or list(map(canonical, self.metas()))

    def jobs(self) -> list[Job]:
        """Return each job by itself."""
        inputs = self.inputs()
        ids = map(id_from, self.written().prints()) if self.given_ids is None else self.given_ids
        file, model = self.file, self.model
        rows = zip(self.lines, ids, inputs, self.metas(), strict=True)
        return [Job(JobId(one), Place(file, at, at), model, own, notes) for at, one, own, notes in rows]


def _rows(columns: Mapping[str, Sequence[Json]], shared: Inputs, size: int) -> list[Inputs]:
    if not columns:
        return [{**shared} for _ in range(size)]
    names = tuple(columns)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    if any(None in values for values in columns.values()):
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row | shared for row in rows] if shared else rows
