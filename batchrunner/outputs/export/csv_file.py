"""CSV for spreadsheets: UTF-8, a header, one row a job, and no cell that is a formula.

A spreadsheet runs a text that begins with ``=``, ``+``, ``-`` or ``@`` (also after a tab or a line break, and
in full width); such a text gets an apostrophe before it, and `plain_text` takes it away again.  Numbers are
numbers, also negative ones.  A list of texts is joined by ``|``, as manifests write it; what is no plain
value is JSON.  Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from ..._types import Json
from ...files.disk import replaced_file
from ...ledger import Store
from ..lines import json_line
from .subject import Exported, Options
from .table import table_of

STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""A text that begins with one of these may be a formula to some spreadsheet."""

QUOTE: Final = "'"


def write_csv(store: Store, folder: Path, to: Path, options: Options) -> Exported:
    """Write a header and one row a job."""
    table, jobs = table_of(store, options.where), 0
    with replaced_file(to) as file:
        writer = csv.writer(
            file, lineterminator="\r\n"
        )  # RFC 4180; and only so is a bare CR in a cell quoted
        writer.writerow([safe_text(name) for name in table.names])
        for row in table.rows():
            writer.writerow([_cell(value) for value in row.values()])
            jobs += 1
    return Exported(jobs=jobs)


def safe_text(text: str) -> str:
    """Return *text* as a cell that no spreadsheet runs."""
    # A NUL ends a cell for many readers, and half a character has no UTF-8.
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return f"{QUOTE}{text}" if text.lstrip(QUOTE).startswith(STARTS) else text


def plain_text(cell: str) -> str:
    """Return the text that `safe_text` made *cell* of."""
    is_quoted = cell.startswith(QUOTE) and cell.lstrip(QUOTE).startswith(STARTS)
    return cell[1:] if is_quoted else cell


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return safe_text(value)
        case list() if value and all(isinstance(item, str) and "|" not in item for item in value):
            return safe_text("|".join(map(str, value)))
        case _:
            return safe_text(json_line(value))
