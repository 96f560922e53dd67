"""Which jobs does one row ask for?

Each combination of the matrix makes one job of it; what is wrong with all of them alike is said once.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._types import Job, Problem
from ..models import Schemas
from ..staging import LocalImages
from .draft import Draft
from .head import Head
from .ids import BadId, parse_id
from .judge import Judge, Rules
from .matrix import combinations
from .names import ID, BadField, Field, Key, fields_of, shown
from .rows import Row


class Assembler:
    """Makes jobs of rows, one manifest's head and schemas at hand."""

    def __init__(
        self, head: Head, schemas: Schemas, model: str | None, images: LocalImages | None = None
    ) -> None:
        """*images* looks at local images; without it each of them is a problem."""
        self._head = head
        images = images or LocalImages(may_stage=False)
        self._rules = Rules(schemas=schemas, model=model, consumed=head.consumed, images=images)

    def jobs(self, row: Row) -> Iterator[Job | Problem]:
        """Yield the jobs of *row*, or everything that is wrong with it."""
        own, bad = fields_of(row.fields)
        is_sound = True
        for problem in self._row_problems(row, own, bad):
            is_sound = False
            yield problem
        said: set[tuple[str | None, str]] = set()
        for combination in combinations(self._head.axes):
            shared = {**self._head.defaults, **combination.values}
            judge = Judge(Draft(row=row, own=own, shared=shared), combination.suffix, self._rules)
            job = judge.job()
            for problem in judge.problems:
                if (problem.field, problem.message) not in said:
                    said.add((problem.field, problem.message))
                    yield problem
            if not is_sound:
                return  # the first combination has said what can be wrong; jobs there are none
            if job is not None:
                yield job

    def _row_problems(self, row: Row, own: dict[Key, Field], bad: list[BadField]) -> Iterator[Problem]:
        """Yield what is wrong with the row whatever the matrix adds."""
        job = _readable_id(own)
        for error in bad:
            yield Problem(place=row.at(error.path), id=job, field=".".join(error.path), message=str(error))
        for axis in self._head.axes:
            if axis.key in own:
                message = f"set by this row, and varied by the matrix on line {axis.place.line}"
                place = row.at(own[axis.key].path)
                yield Problem(place=place, id=job, field=shown(axis.key), message=message, hint="remove one")


def _readable_id(own: dict[Key, Field]) -> str | None:
    try:
        return parse_id(own[ID].value) if ID in own else None
    except BadId:
        return None
