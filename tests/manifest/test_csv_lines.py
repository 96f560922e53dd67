"""Every row of cells keeps its line, whatever stands around it and however long the file is."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner._types import Problem
from batchrunner.manifest.csv_reader import read_csv

CELLS = st.sampled_from(["", "a", " ", "5", "a,b", 'say "x"', "one\ntwo", "\n\n", "é", "a b c d", '"'])
RUNS = st.lists(
    st.tuples(st.lists(CELLS, min_size=2, max_size=2), st.sampled_from([1, 1, 2, 99, 101])), max_size=5
)


def written(rows, end: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """The text of *rows* below a header row, and the line and cells of each that holds anything."""
    text, found, line = io.StringIO(), [], 2
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(["x", "y"])
    for cells in rows:
        if any(map(str.strip, cells)):
            found.append((line, cells))
        writer.writerow(cells)
        line += 1 + sum(cell.count("\n") for cell in cells)
    return text.getvalue(), found


@given(RUNS, st.sampled_from(["\n", "\r\n"]))
def test_rows_have_the_lines_they_stand_on(runs, end):
    text, expected = written([cells for cells, times in runs for _ in range(times)], end)

    rows = list(read_csv(io.BytesIO(text.encode()), "m"))

    assert [(row.place.line, row.cells) for row in rows] == expected


@pytest.mark.parametrize("before", [0, 1, 98, 99, 100, 101, 250])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('a"b,c', "a quote inside a cell"),
        ("a", "1 cell, but"),
        ("a\0,b", "a NUL byte"),
        ('"a"b,c', "text after a"),
    ],
)
def test_a_bad_row_is_named_by_its_line_wherever_it_stands(before, bad, said):
    good = "a,b\n"
    text = "x,y\n" + good * before + bad + "\n" + good * 120

    rows = list(read_csv(io.BytesIO(text.encode()), "m"))

    problems = [row for row in rows if isinstance(row, Problem)]
    assert [row.place.line for row in rows] == list(range(2, before + 123))
    assert [(problem.place.line, problem.message[: len(said)]) for problem in problems] == [
        (before + 2, said)
    ]


def test_a_quote_left_open_behind_many_rows_is_named_by_its_line():
    text = "x,y\n" + "a,b\n" * 150 + '"a,b\n' + "a,b\n" * 150

    *good, problem = read_csv(io.BytesIO(text.encode()), "m")

    assert len(good) == 150
    assert (problem.place.line, problem.message) == (152, "a quote is opened and never closed")
