"""No bytes at all crash the reader: there are jobs, problems and the errors of the package, nothing else."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner._types import Job, Problem
from batchrunner.manifest import read_jobs
from batchrunner.models import Schemas

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
SCHEMAS = Schemas()
FORMATS = ["yaml", "csv", "tsv", "jsonl"]

TOP = ["jobs", "defaults", "matrix", "schema", "model"]
NAMES = [*TOP, "id", "text", "images", "seed", "meta", "input", "meta.a", "input.seed"]
SIGNS = [*":-,;&*?#~%@`>'\"\\|", "<<", "!!str", "!x", "---", "..."]
BRACKETS = ["{", "}", "[", "]", "{{", "}}", "{text}", "{id}", "&a", "*a"]
VALUES = [
    "null",
    "5",
    "5.0",
    "1e999",
    "NaN",
    "007",
    "true",
    "https://a.example/x",
    "9" * 400,
    "é",
    "😀",
    "\\ud800",
]
SPACES = [" ", "  ", "\n", "\r", "\r\n", "\t", "|", "|\n", ": ", "\ufeff", "\x00", "\x85", "\u2028"]
PIECES = st.sampled_from(NAMES + SIGNS + BRACKETS + VALUES + SPACES)


def is_read(content: bytes, form: str) -> None:
    found = list(read_jobs("-", input_format=form, model=MODEL, schemas=SCHEMAS, stdin=io.BytesIO(content)))

    assert found != []
    for each in found:
        assert isinstance(each, Job | Problem)
        assert each.place.line >= 1
        assert str(each).encode()


@pytest.mark.parametrize("form", FORMATS)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read(form, content):
    is_read(content, form)


@pytest.mark.parametrize("form", FORMATS)
@given(pieces=st.lists(PIECES, max_size=40))
def test_anything_made_of_the_formats_own_pieces_is_read(form, pieces):
    is_read("".join(pieces).encode(), form)


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
@given(content=st.binary(max_size=100))
def test_any_bytes_after_a_utf_16_mark_are_read(form, mark, content):
    is_read(mark + content, form)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SHAPES = st.recursive(
    SCALARS | st.text(max_size=5) | st.sampled_from(BRACKETS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(top=st.dictionaries(st.sampled_from([*TOP, "job"]), SHAPES))
def test_any_shape_of_manifest_is_read(top):
    is_read(json.dumps(top).encode(), "yaml")
