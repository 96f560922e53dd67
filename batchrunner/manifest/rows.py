"""What does a reader hand on?  Rows as they were written, each with its place.

A value knows as much of its type as its format says: JSON and quoted YAML all of it, a plain YAML scalar or
a CSV cell none at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._types import Json, Place, Problem


class Untyped(str):
    """Text with no type of its own: the model's schema decides what it means."""

    __slots__ = ()


class Plain(Untyped):
    """A YAML scalar without quotes."""

    __slots__ = ()


class Cell(Untyped):
    """A CSV cell, or text put together from one."""

    __slots__ = ()


class LinedDict(dict[str, Json]):
    """A mapping that knows the line of each of its keys."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class LinedList(list[Json]):
    """A list that knows the line of each of its items."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as read: names and values, not judged yet."""

    place: Place
    fields: dict[str, Json]
    header: Place | None = None
    """Where the columns are named; a wrong name is reported there, once.  None without a header row."""
    columns: Sequence[str] = ()
    """All names of the header row, also those whose cell is empty here."""

    def at(self, path: Sequence[str | int]) -> Place:
        """Return the place of the value at *path*, as near as the format tells."""
        line, value = self.place.line, self.fields
        for found in _lines_along(value, path):
            line = found
        return Place(file=self.place.file, line=line, row=self.place.row)


def _lines_along(value: Json, path: Sequence[str | int]) -> Iterator[int]:
    for step in path:
        match value, step:
            case LinedDict(), str() if step in value.lines:
                yield value.lines[step]
                value = value[step]
            case LinedList(), int() if step < len(value):
                yield value.lines[step]
                value = value[step]
            case _:
                return


def problem(
    file: str,
    line: int,
    message: str,
    *,
    hint: str | None = None,
    row: int | None = None,
    job: str | None = None,
    field: str | None = None,
) -> Problem:
    """Return a problem at a line; the row starts there too unless *row* says otherwise."""
    place = Place(file=file, line=line, row=line if row is None else row)
    return Problem(place=place, message=message, hint=hint, id=job, field=field)
