"""Which rows does a CSV or TSV manifest hold?"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from .._types import Place, Problem
from ..models.wording import counted, show
from .csv_lines import BadRecord, decoded
from .csv_records import Block, Record, records
from .rows import Table, TableBlock, TableRow, problem

DIVIDERS: Final = ("|", ",", ";", "\t", ":")
"""What people, and files of another kind than their name says, put between the columns."""

NAME: Final = re.compile(r"[A-Za-z_][\w.-]*")


def read_csv(stream: BinaryIO, file: str, *, delimiter: str | None = None) -> Iterator[TableRow | Problem]:
    """Yield the rows below the header row, in order; blank ones are skipped, empty cells are absent."""
    for found in read_blocks(stream, file, delimiter=delimiter):
        if isinstance(found, TableBlock):
            yield from found.each()
        else:
            yield found


def read_blocks(
    stream: BinaryIO, file: str, *, delimiter: str | None = None
) -> Iterator[TableBlock | TableRow | Problem]:
    """Do the same with as many rows at a time as are plain to see."""
    text = decoded(stream)
    try:
        found = records(text, delimiter)
        header = next(found, None)
        if isinstance(header, BadRecord):
            yield _bad(header, file)
        elif isinstance(header, Record):
            place = Place(file=file, line=header.line, row=header.line)
            table = Table(place=place, columns=tuple(name.strip() for name in header.cells))
            divider = _divider(table)
            if divider is not None:
                yield _undivided(table, divider)
                return  # every row is wrong in the same way
            yield from _repeated(table)
            yield from _rows(found, table)
    finally:
        text.detach()  # the stream is the caller's to close


def _divider(table: Table) -> str | None:
    """Return what seems to divide a header row that we read as one column."""
    if len(table.columns) != 1:
        return None
    (header,) = table.columns
    signs = (sign for sign in DIVIDERS if sign in header)
    return next((s for s in signs if all(NAME.fullmatch(part.strip()) for part in header.split(s))), None)


def _undivided(table: Table, divider: str) -> Problem:
    (header,) = table.columns
    number, sign = counted(header.count(divider) + 1, "column"), json.dumps(divider)
    message = f"the header row is one column, {show(header)}"
    hint = f"for {number} write , instead of {sign} (; and tab are read as well; a .tsv file has tabs)"
    return problem(table.place.file, table.place.line, message, hint=hint)


def _rows(
    found: Iterator[Record | Block | BadRecord], table: Table
) -> Iterator[TableBlock | TableRow | Problem]:
    file, width = table.place.file, len(table.columns)
    nameless = [number for number, name in enumerate(table.columns) if not name]
    for record in found:
        if isinstance(record, BadRecord):
            yield _bad(record, file)
        elif isinstance(record, Block):
            if not nameless and {*map(len, record.rows)} == {width}:
                yield TableBlock(file, record.line, record.rows, table)
            else:
                each = (Record(line, cells) for line, cells in enumerate(record.rows, record.line))
                yield from _rows(each, table)
        elif len(record.cells) != width:
            yield _wrong_width(record, table)
        elif nameless and any(record.cells[number] for number in nameless):
            yield _without_name(record, table)
        else:
            line, cells = record
            yield TableRow(Place(file=file, line=line, row=line), cells, table)


def _bad(record: BadRecord, file: str) -> Problem:
    return problem(file, record.line, record.message, hint=record.hint)


def _repeated(table: Table) -> Iterator[Problem]:
    for name, times in Counter(table.columns).items():
        if name and times > 1:
            numbers = [str(number) for number, column in enumerate(table.columns, 1) if column == name]
            message = f"the column {show(name)} stands {times} times (columns {', '.join(numbers)})"
            yield problem(table.place.file, table.place.line, message, field=name)


def _wrong_width(record: Record, table: Table) -> Problem:
    cells, columns = record.cells, table.columns
    message = f"{counted(len(cells), 'cell')}, but the header names {counted(len(columns), 'column')}"
    hint = "a cell with a delimiter or a line break in it needs quotes" if len(cells) > len(columns) else None
    return problem(table.place.file, record.line, message, hint=hint, job=_id(cells, columns))


def _without_name(record: Record, table: Table) -> Problem:
    named = zip(table.columns, record.cells, strict=True)
    number, cell = next((n, cell) for n, (name, cell) in enumerate(named, 1) if cell and not name)
    message = f"{show(cell)} stands in column {number}, which has no name"
    return problem(table.place.file, record.line, message, job=_id(record.cells, table.columns))


def _id(cells: Sequence[str], columns: Sequence[str]) -> str | None:
    """Return the id of a row that cannot be read as a whole, where it can be told."""
    at = columns.index("id") if "id" in columns else len(cells)
    return cells[at].strip() or None if at < len(cells) else None
