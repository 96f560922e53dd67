"""How is a big manifest checked by two processes?  Each reads half of it.

What both find, put in the order of its lines, is what one process would find.
Why: docs/decisions/0027-read-by-a-second-process.md
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, cast

from .._types import Job, Problem
from .judge import Memory
from .named import BIG_BYTES, NamedManifest
from .parts import Part
from .read import no_jobs
from .repeated import Looked, rows_in
from .source import Format

if TYPE_CHECKING:
    from .beside import Ended, Told

HERE, BESIDE = Part(0, 2), Part(1, 2)


def rows_to_check(manifest: NamedManifest, *, big_bytes: int = BIG_BYTES) -> Generator[Looked, None, None]:
    """Read *manifest* as its `rows` does, for a check alone: there is no `record` of it.

    Half of much JSON Lines is read by a second process; the caller closes it.
    """
    if manifest.form is not Format.JSONL or not manifest.is_for_two(big_bytes):
        yield from manifest.rows(noting=False)
        return
    from .beside import NotRead, read_beside

    with ExitStack() as stack:
        told: Iterator[Told | Ended] = iter(())
        with suppress(NotRead):
            asked = manifest.asked(part=BESIDE, only_ids=True)
            told = stack.enter_context(read_beside(asked, manifest.schemas.from_catalogue))
        is_empty = True
        for found in _together(manifest.rows(noting=False, part=HERE), _other_half(manifest, told)):
            is_empty = False
            yield found
    if is_empty:
        yield no_jobs(manifest.source)


def _other_half(manifest: NamedManifest, told: Iterator[Told | Ended]) -> Iterator[Looked]:
    """Yield what is *told* of it; where that does not come to its end, the rest is read here."""
    from .beside import Ended, NotRead

    taken = 0
    with suppress(NotRead):
        for found in told:
            if isinstance(found, Ended):
                return
            yield cast("Looked", found)  # only ids were asked for
            taken += 1
    yield from islice(manifest.rows(noting=False, part=BESIDE), taken, None)


def _together(mine: Iterable[Looked], others: Iterator[Looked]) -> Iterator[Looked]:
    """Yield what both find, in its order; what is said of the first of many rows each said of its own."""
    said = Memory()
    for found in _in_order(mine, others):
        if isinstance(found, Problem) and found.is_shared:
            if said.is_new((found.place.file, found.field, found.message)):
                yield found
        else:
            yield found


def _in_order(mine: Iterable[Looked], others: Iterator[Looked]) -> Iterator[Looked]:
    """Yield what two parts of one file hold in the order of its lines, in which each of them has its own.

    *others* are not waited for while none of theirs can come first.
    """
    due = 1  # the line behind the last of mine
    ahead: list[Looked] = []  # what the others had beyond it
    for one in mine:
        line = _first_line(one)
        if line > due:
            for other in chain(ahead, others):
                if _first_line(other) > line:
                    ahead = [other]
                    break
                yield other
            else:
                ahead = []
        yield one
        due = line + rows_in(one)
    yield from ahead
    yield from others


def _first_line(found: Looked) -> int:
    return found.place.row if isinstance(found, Job | Problem) else found.lines[0]
