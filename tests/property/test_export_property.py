"""Whatever inputs jobs have: an export, read back, is what the ledger holds."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from batchrunner._types import Json
from batchrunner.folder.folder import Folder
from batchrunner.ledger import Store
from batchrunner.outputs.columns import Column, Kind
from batchrunner.outputs.export import Format, Options, export
from batchrunner.outputs.export.csv_file import STARTS, plain_text
from batchrunner.outputs.export.table import table_of
from batchrunner.outputs.results import read_results
from tests.builders import a_job, take
from tests.laws import tried

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
plain = st.booleans() | st.integers(-(2**70), 2**70) | st.integers(-9, 9) | st.floats(-1e9, 1e9) | texts
values = (
    plain
    | st.lists(plain, max_size=3)
    | st.lists(texts, max_size=3)
    | st.dictionaries(texts, plain, max_size=2)
)
names = st.sampled_from(["seed", "text", "id", "file", "meta.x", "status"]) | texts.filter(bool)
notes = st.dictionaries(names, values, max_size=2)
rows = st.lists(st.tuples(notes, notes), min_size=1, max_size=3)


def read_cell(cell: str, column: Column) -> Json:
    """A CSV cell as the value it was written from, by its column's kind."""
    if cell == "" and (column.is_list or column.kind is not Kind.TEXT):
        return None
    text = plain_text(cell)
    if column.kind is Kind.JSON or (column.is_list and text.startswith("[")):
        return json.loads(text)
    if column.is_list:
        return text.split("|")
    match column.kind:
        case Kind.TEXT:
            return text
        case Kind.FLAG:
            return text == "true"
        case _:
            return json.loads(text)


@tried(0.2)
@given(rows)
def test_what_is_read_back_is_what_the_ledger_holds(given_rows):
    with TemporaryDirectory() as home:
        path = Path(home)
        jobs = [a_job(f"job-{n}", row=n + 2, meta=meta) for n, (_, meta) in enumerate(given_rows)]
        for job, (inputs, _) in zip(jobs, given_rows, strict=True):
            job.inputs.clear()
            job.inputs.update(inputs)
        with closing(Store.open(path / "ledger.sqlite")) as store:
            take(store, jobs)
            lines, columns = list(read_results(store)), table_of(store, "1").columns
        for form in (Format.JSONL, Format.PARQUET, Format.CSV):
            export(Folder(path), form, path / f"jobs.{form}", Options(states=()))

        read = [json.loads(line) for line in (path / "jobs.jsonl").read_text("utf-8").split("\n")[:-1]]
        typed = pq.read_table(path / "jobs.parquet").to_pylist()
        with (path / "jobs.csv").open(encoding="utf-8", newline="") as file:
            header, *cells = csv.reader(file)

    assert read == lines
    assert not any(cell.startswith(STARTS) for row in cells for cell in row if not _is_number(cell))
    for line, row, texts_of_row in zip(lines, typed, cells, strict=True):
        for column in columns:
            value = line[column.source].get(column.key)
            in_parquet, in_csv = (
                row[column.name],
                texts_of_row[[plain_text(n) for n in header].index(column.name)],
            )
            if column.kind is Kind.JSON and in_parquet is not None:
                in_parquet = json.loads(in_parquet)
            assert in_parquet == value
            assert read_cell(in_csv, column) == value or (value in (None, "", [""]) and in_csv == "")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
