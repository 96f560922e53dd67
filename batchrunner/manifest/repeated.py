"""Which ids are used twice in a manifest, when nothing but that has to be remembered of its jobs?

Ids are told apart by their hashes, eight bytes a job.  Where two hashes are equal, and only there, the ids
themselves are looked at again: they wait in a temporary file once they are more than some megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice, pairwise
from math import inf
from operator import eq, itemgetter
from tempfile import SpooledTemporaryFile
from typing import IO, Final, NamedTuple, TypeAlias

import orjson
from msgspec import Struct

from .._types import Job, Place, Problem
from ..collector import rarely_collected
from .alike import Counted
from .fingerprint import ID_DIGITS, id_from, made_id
from .job_block import JobBlock

IN_MEMORY: Final = 16 * 2**20  # bytes of ids that are kept there: those of a million jobs

SORTED_AT_ONCE: Final = 2**18  # hashes: as objects they take 32 bytes each


def used_twice(place: Place, job_id: str, first: tuple[str, int], *, is_made: bool) -> Problem:
    """Return what to say of a job whose id is that of an earlier one, *first* (file and row)."""
    where = f"line {first[1]}" if first[0] == place.file else f"{first[0]}:{first[1]}"
    if is_made:
        message = f"the same inputs as {where}, and neither row has an id"
        hint = "give both an id to pay for both, or take one out"
    else:
        message = f"the id is used by {where} already"
        hint = "ids must differ; every id has its own file and its own payment"
    return Problem(place=place, id=job_id, field="id", message=message, hint=hint)


class IdBlock(NamedTuple):
    """What is remembered of jobs whose rows stand in one file, one behind the other."""

    file: str
    lines: Sequence[int]
    """The line of each."""
    ids: Sequence[str]
    made: Sequence[int]
    """Which of them, from 0, have the id that is made of their inputs."""

    @property
    def size(self) -> int:
        return len(self.lines)


def ids_of(block: JobBlock) -> IdBlock:
    """Return what is remembered of *block*."""
    made: list[int] = []
    ids = block.given_ids
    if ids is None or ID_DIGITS in map(len, ids):
        of_inputs = list(map(id_from, block.written().prints()))
        ids = of_inputs if ids is None else ids
        made = [at for at, (one, other) in enumerate(zip(ids, of_inputs, strict=True)) if one == other]
    return IdBlock(block.file, block.lines, ids, made)


Looked: TypeAlias = Job | JobBlock | IdBlock | Problem
"""What is found in a manifest that is looked at and not kept."""


def rows_in(found: Looked) -> int:
    """Return of how many rows it was found."""
    return found.size if isinstance(found, JobBlock | IdBlock) else 1


class Ids:
    """The ids of all jobs so far."""

    def __init__(self, kept: IO[bytes]) -> None:
        """They are *kept* in a file that is the caller's to close."""
        self.count = 0
        self._kept = kept
        self._hashes = array("d")  # 53 bits tell as well, and such numbers are sorted in half the time
        self._files: dict[str, int] = {}

    def add(self, job: Job, position: int) -> None:
        """Remember the id of one job."""
        is_made = len(job.id) == ID_DIGITS and job.id == made_id(job.model, job.inputs)
        self.add_all(IdBlock(job.place.file, [job.place.row], [job.id], [0] if is_made else []), position)

    def add_all(self, block: IdBlock, position: int) -> None:
        """Remember the ids of many jobs, the first of which has that *position* in the manifest."""
        file, lines, ids, made = block
        self.count += len(ids)
        self._hashes.extend(map(hash, ids))
        number = self._files.setdefault(file, len(self._files))  # its name need not be text
        steps = [lines.start, lines.step] if isinstance(lines, range) else [list(lines)]
        kept = [position, number, steps, made, ids]
        self._kept.write(orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE))

    def problems(self) -> Iterator[tuple[int, Problem]]:
        """Yield what is wrong with each id that is not the first of its kind, with its position, in order."""
        suspects = self._equal_hashes()
        if not suspects:
            return
        first: dict[str, tuple[str, int]] = {}
        files = list(self._files)
        self._kept.seek(0)
        for line in self._kept:
            position, number, steps, made, ids = orjson.loads(line)
            rows = count(*steps) if len(steps) > 1 else steps[0]
            for at, (job_id, row) in enumerate(zip(ids, rows, strict=False)):
                if float(hash(job_id)) not in suspects:
                    continue
                if job_id in first:
                    place = Place(file=files[number], line=row, row=row)
                    found = used_twice(place, job_id, first[job_id], is_made=at in made)
                    yield position + at, found
                else:
                    first[job_id] = files[number], row

    def _equal_hashes(self) -> set[float]:
        """Return the hashes that stand there more than once; of many, a part of all is sorted at a time."""
        parts = 1 + len(self._hashes) // SORTED_AT_ONCE
        edges = [2.0**64 * part / parts - 2.0**63 for part in range(parts)]
        found: set[float] = set()
        for low, high in pairwise([*edges, inf]):
            chosen = self._hashes if parts == 1 else (one for one in self._hashes if low <= one < high)
            found |= _standing_twice(sorted(chosen))  # let go before the next part is sorted
        return found


def _standing_twice(ordered: Sequence[float]) -> set[float]:
    if not any(map(eq, ordered, islice(ordered, 1, None))):
        return set()
    return {one for one, other in pairwise(ordered) if one == other}


class Checked(Struct, frozen=True, kw_only=True):
    """What a manifest's rows are, with nothing kept of them."""

    jobs: int
    problems: tuple[Problem, ...]
    """In manifest order."""
    counted: Counted | None = None
    """How many jobs have which of the inputs that were to be counted; None where that is not known."""


def check_rows(rows: Iterable[Looked]) -> Checked:
    """Look at all *rows*."""
    problems, position = list[tuple[int, Problem]](), 1
    with SpooledTemporaryFile(IN_MEMORY) as kept, rarely_collected():
        ids = Ids(kept)
        for row in rows:
            if isinstance(row, Problem):
                problems.append((position, row))
            elif isinstance(row, Job):
                ids.add(row, position)
            else:
                ids.add_all(row if isinstance(row, IdBlock) else ids_of(row), position)
            position += rows_in(row)
        repeated = list(ids.problems())
    ordered = sorted([*problems, *repeated], key=itemgetter(0))
    return Checked(jobs=ids.count - len(repeated), problems=tuple(problem for _, problem in ordered))
