"""What does a reader hand on?  Rows as they were written, each with its place.

A value knows as much of its type as its format says: JSON and quoted YAML all of it, a plain YAML scalar or
a CSV cell none at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

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


class Row(NamedTuple):
    """One row as read: names and values, not judged yet.

    A named tuple, as a file may have a million of them: it is made in half the time of a dataclass.
    """

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


class Table(Struct, frozen=True, kw_only=True):
    """The header row of a file of cells."""

    place: Place
    columns: tuple[str, ...]


class TableRow(NamedTuple):
    """A row of cells, as many as there are columns; most are jobs before anybody asks for names."""

    place: Place
    cells: list[str]
    table: Table

    def as_row(self) -> Row:
        """Return the row by names: empty cells are absent; of two columns of one name the first counts."""
        fields: dict[str, Json] = {}
        for name, cell in zip(self.table.columns, self.cells, strict=True):
            if cell:
                fields.setdefault(name, Cell(cell))
        return Row(place=self.place, fields=fields, header=self.table.place, columns=self.table.columns)


class TableBlock(NamedTuple):
    """Rows of cells on consecutive lines."""

    file: str
    line: int
    """The line of the first row."""
    rows: list[list[str]]
    table: Table

    def each(self) -> Iterator[TableRow]:
        """Yield the rows one by one."""
        for line, cells in enumerate(self.rows, self.line):
            yield TableRow(Place(self.file, line, line), cells, self.table)


class FieldBlock(NamedTuple):
    """Rows of names and values on consecutive lines, where no list or mapping holds another one."""

    file: str
    line: int
    """The line of the first row."""
    rows: list[dict[str, Json]]
    columns: Mapping[str, Sequence[Json]]
    """The same name by name; None for a row that has nothing."""

    @property
    def lines(self) -> Sequence[int]:
        """The line of each row."""
        return range(self.line, self.line + len(self.rows))

    def each(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        for line, fields in enumerate(self.rows, self.line):
            yield Row(Place(self.file, line, line), fields)


class ColumnBlock(NamedTuple):
    """Rows of names and values that were read name by name: nobody knows the lines of their values yet."""

    file: str
    lines: Sequence[int]
    """The line of each row."""
    columns: Mapping[str, Sequence[Json]]
    """A value for each row; None for a row without one."""
    again: Callable[[], Iterable[Row]]
    """Reads them once more, with the line of each value."""

    def each(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        return iter(self.again())


Block: TypeAlias = TableBlock | FieldBlock | ColumnBlock
"""Some rows together, as the formats give them."""


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
