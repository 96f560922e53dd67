"""Lines of cells on standard output: aligned for people, separated for programs."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Final

import click

from ..names import printable
from ..outputs.export.csv_file import safe_text

LOOKED_AT: Final = 500
"""So many rows decide how wide columns are; the rest is shown as it comes."""

WIDEST: Final = 60
GAP: Final = "  "


def write_tsv(rows: Iterable[Sequence[str]]) -> None:
    """Write rows without a header, for ``cut`` and ``while read``; no cell holds a tab or a line break."""
    for row in rows:
        click.echo("\t".join(printable(cell) for cell in row))


def write_csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a header and rows; no cell is a formula to a spreadsheet."""
    writer = csv.writer(
        sys.stdout, lineterminator="\r\n"
    )  # RFC 4180; and only so is a bare CR in a cell quoted
    for row in chain([names], rows):
        writer.writerow([safe_text(cell) for cell in row])


def write_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a header and rows in columns; what does not fit on the terminal is cut, with ``…``."""
    from rich.cells import cell_len

    shown = (tuple(printable(cell) for cell in row) for row in rows)
    first = [tuple(names), *islice(shown, LOOKED_AT)]
    widths = [min(WIDEST, max(cell_len(row[n]) for row in first)) for n in range(len(names))]
    left = shutil.get_terminal_size((100, 24)).columns - sum(widths[:-1]) - len(GAP) * (len(names) - 1)
    widths[-1] = max(left, 20)
    for row in chain(first, shown):
        fitted = [_fitted(cell, width) for cell, width in zip(row, widths, strict=True)]
        click.echo(GAP.join(fitted).rstrip())


def _fitted(cell: str, width: int) -> str:
    """Return *cell* exactly *width* columns wide."""
    from rich.cells import cell_len, set_cell_size  # loaded here: the other formats do without rich

    if cell_len(cell) <= width:
        return set_cell_size(cell, width)
    return set_cell_size(f"{set_cell_size(cell, width - 1)}…", width)
