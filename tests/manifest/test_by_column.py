"""Canonical JSON written a column at a time is the canonical JSON, to the byte, or it is not written."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.manifest.by_column import written_by_column
from batchrunner.manifest.fingerprint import canonical, fingerprint
from batchrunner.manifest.job_block import JobBlock

SIGNS = st.text(st.sampled_from('",[]{}:\\%s\n aé\x7f\u2028'), max_size=8)
TEXTS = SIGNS | st.text(max_size=5)
NUMBERS = st.integers(-5, 5) | st.integers(2**63 - 2, 2**64 + 2)
ALIKE = (
    TEXTS,
    NUMBERS,
    st.booleans(),
    st.floats(allow_nan=False),
    st.none(),
    st.just({}),
    st.just({"a": 5.0}),
)
ITEMS = st.lists(TEXTS, max_size=3) | st.lists(NUMBERS | TEXTS | st.none(), max_size=3)


@st.composite
def columns(draw):
    size = draw(st.integers(1, 4))
    kinds = st.sampled_from([*ALIKE, ITEMS, st.one_of(*ALIKE)])
    return {
        name: draw(st.lists(draw(kinds), min_size=size, max_size=size))
        for name in draw(st.lists(SIGNS, unique=True, min_size=1, max_size=4))
    }


def rows_of(by_name, shared):
    return [dict(zip(by_name, row, strict=True)) | shared for row in zip(*by_name.values(), strict=True)]


@given(columns(), st.dictionaries(SIGNS, st.one_of(*ALIKE), max_size=2))
@example({"a": ['","', "\\"], "b": [["],["], []]}, {"c": "100%s"})
@example({"a": [["a", "b"], ["c"]], "b": ["x", ""]}, {})
@example({"a": [True, False], "b": [1, 2]}, {})
def test_it_is_the_canonical_text_of_each_row_or_none(by_name, shared):
    shared = {name: value for name, value in shared.items() if name not in by_name}

    written = written_by_column(by_name, shared)

    assert written is None or written == [canonical(row) for row in rows_of(by_name, shared)]


def test_texts_numbers_and_lists_of_texts_are_written_this_way():
    """Else the quick way is none."""
    by_name = {"text": ["a fox", 'an "owl"'], "images": [["https://a.example"], []], "seed": [5, -6]}

    assert written_by_column(by_name, {"ratio": "16:9", "hd": True}) == [
        '{"hd":true,"images":["https://a.example"],"ratio":"16:9","seed":5,"text":"a fox"}',
        '{"hd":true,"images":[],"ratio":"16:9","seed":-6,"text":"an \\"owl\\""}',
    ]


@pytest.mark.parametrize(
    "column",
    [
        ["a fox", "v2.0"],
        ["é", "a"],
        [5.0, 0.5],
        [True, 1],
        [["a"], [5.0]],
        [2**70, 1],
        ["a", None],
        [["],["], []],
    ],
    ids=str,
)
def test_a_block_gives_each_job_the_fingerprint_that_it_has_alone(column):
    block = JobBlock(
        file="m", lines=[2, 5], model="acme/x", given_ids=None,
        inputs_by_name={"a": column, "b": ["x", "y"]}, shared={"c": [1]}, notes_by_name={}, shared_notes={},
    )  # fmt: skip
    alone = [{"a": value, "b": other, "c": [1]} for value, other in zip(column, "xy", strict=True)]
    alone = [{name: value for name, value in row.items() if value is not None} for row in alone]

    written, prints = block.written(), block.written().prints()

    assert written.inputs == list(map(canonical, alone))
    assert prints == [fingerprint("acme/x", row) for row in alone]
    assert [job.inputs for job in block.jobs()] == alone
    assert [job.id for job in block.jobs()] == [print_[:16] for print_ in prints]
