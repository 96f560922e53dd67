"""Which rows does a CSV or TSV manifest hold?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from .._types import Json, Place, Problem
from ..models.wording import counted, show
from .csv_records import BadRecord, Record, Records, decoded
from .rows import Cell, Row, problem


def read_csv(stream: BinaryIO, file: str, *, delimiter: str | None = None) -> Iterator[Row | Problem]:
    """Yield the rows below the header row, in order; blank ones are skipped, empty cells are absent."""
    text = decoded(stream)
    try:
        records = Records(text, delimiter)
        header = next(records, None)
        if isinstance(header, BadRecord):
            yield _bad(header, file)
        elif header is not None:
            columns = [name.strip() for name in header.cells]
            yield from _repeated(columns, header.line, file)
            place = Place(file=file, line=header.line, row=header.line)
            for record in records:
                yield _bad(record, file) if isinstance(record, BadRecord) else _row(record, columns, place)
    finally:
        text.detach()  # the stream is the caller's to close


def _bad(record: BadRecord, file: str) -> Problem:
    return problem(file, record.line, record.message, hint=record.hint)


def _repeated(columns: Sequence[str], line: int, file: str) -> Iterator[Problem]:
    for name, times in Counter(columns).items():
        if name and times > 1:
            numbers = [str(number) for number, column in enumerate(columns, 1) if column == name]
            message = f"the column {show(name)} stands {times} times (columns {', '.join(numbers)})"
            yield problem(file, line, message, field=name)


def _row(record: Record, columns: Sequence[str], header: Place) -> Row | Problem:
    cells = record.cells
    if len(cells) != len(columns):
        message = f"{counted(len(cells), 'cell')}, but the header names {counted(len(columns), 'column')}"
        hint = (
            "a cell with a delimiter or a line break in it needs quotes"
            if len(cells) > len(columns)
            else None
        )
        return problem(header.file, record.line, message, hint=hint, job=_id(cells, columns))
    fields: dict[str, Json] = {}
    for number, (name, cell) in enumerate(zip(columns, cells, strict=True), 1):
        if cell and not name:
            message = f"{show(cell)} stands in column {number}, which has no name"
            return problem(header.file, record.line, message, job=_id(cells, columns))
        if cell:
            fields.setdefault(name, Cell(cell))
    place = Place(file=header.file, line=record.line, row=record.line)
    return Row(place=place, fields=fields, header=header, columns=columns)


def _id(cells: Sequence[str], columns: Sequence[str]) -> str | None:
    """Return the id of a row that cannot be read as a whole, where it can be told."""
    at = columns.index("id") if "id" in columns else len(cells)
    return cells[at].strip() or None if at < len(cells) else None
