"""`results --columns`: a way into a results line, checked before the first line is printed."""

from __future__ import annotations

from contextlib import closing

import pytest

from batchrunner.errors import Usage
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.picking import FIELDS, parse_columns
from batchrunner.outputs.results import read_results
from tests.builders import MODEL, a_job, bring, take


@pytest.fixture(scope="module")
def store():
    with closing(Store.in_memory()) as opened:
        meta = {"shot": {"scene": 3}, "a.b": 1, "a": {"b": 2}}
        take(opened, [a_job(images=["https://a.example/1.png"], meta=meta), a_job("owl", row=3)])
        bring(opened, State.SUCCEEDED, outputs=2)
        bring(opened, State.FAILED, "owl")
        yield opened


def values(store: Store, columns: str) -> list[list[object]]:
    picked = parse_columns(columns, store)
    return [[column.value(line) for column in picked] for line in read_results(store)]


def test_every_field_of_a_line_is_a_column(store):
    assert list(next(read_results(store))) == list(FIELDS)
    assert values(store, ",".join(FIELDS)) == [list(line.values()) for line in read_results(store)]


@pytest.mark.parametrize(
    ("column", "fox", "owl"),
    [
        ("inputs.text", "fox", "owl"),
        ("inputs.images.0", "https://a.example/1.png", None),
        ("inputs.images.7", None, None),
        ("inputs.images.first", None, None),
        ("meta.shot.scene", 3, None),
        ("meta.a.b", 1, None),
        ("error.code", None, "generation_failed"),
        ("outputs.0.file", "videos/fox.mp4", None),
        ("outputs.1.file", "videos/fox.2.mp4", None),
        ("outputs.file", "videos/fox.mp4", None),
        (" model ", MODEL, MODEL),
    ],
)
def test_a_column_leads_to_its_value_or_to_nothing(store, column, fox, owl):
    assert values(store, column) == [[fox], [owl]]


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("eror", "error"),
        ("error.cod", "error.code"),
        ("text", "inputs.text"),
        ("inputs.txt", "inputs.text"),
        ("outputs.0.fil", "outputs.0.file"),
        ("outputs.first.file", "outputs.0.file"),
        ("shot", "meta.shot"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_the_nearest(store, column, meant):
    with pytest.raises(Usage, match="no column") as refused:
        parse_columns(f"id,{column}", store)

    assert refused.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("column", ["", "inputs.", "id.x", "error.code.x", "xyz123"])
def test_a_column_that_is_like_nothing_is_refused_too(store, column):
    with pytest.raises(Usage, match="no column"):
        parse_columns(column, store)
