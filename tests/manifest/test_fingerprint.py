"""The fingerprint is the same for the same request, and for nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.manifest import fingerprint
from batchrunner.manifest.fingerprint import canonical

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_it_is_what_it_was_in_earlier_versions():
    """Ledgers keep it: a changed form would look like an edit of every row."""
    assert fingerprint("acme/a", {"text": "ä", "seed": 5}) == (
        "592b1f4501927c9d42126d0b9353916b7c0df05f0080d5c720b6912b1f5c7c14"
    )


def test_a_whole_float_is_the_whole_number():
    assert fingerprint("m", {"a": [5.0]}) == fingerprint("m", {"a": [5]})


def test_a_truth_value_is_no_number_and_text_is_neither():
    assert len({fingerprint("m", {"a": value}) for value in (True, 1, "1", "true", None)}) == 5


def test_half_a_character_does_not_break_it():
    assert fingerprint("m", {"a": "\ud83d"}) != fingerprint("m", {"a": "\ud83e"})


def by_the_standard_library(value) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


SINGLE = (
    st.none() | st.booleans() | FLOATS | st.text()
    | st.integers() | st.integers(2**63 - 2, 2**64 + 2) | st.integers(-(2**63) - 2, 2 - 2**63)
    | st.text(st.characters(max_codepoint=0x81) | st.sampled_from("\u2028\ud83d😀"))
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=3), SINGLE | st.lists(SINGLE, max_size=3) | JSON, max_size=4))
@example({"": "\x7f", "b": ['\x00\x1f\b\f\n\r\t"\\/'], "a": -0.0, "~": 1e16})
def test_the_written_form_is_the_standard_library_s_to_the_byte(inputs):
    assert canonical(inputs) == by_the_standard_library(inputs)


@pytest.mark.parametrize("code", [*range(0x90), 0xD800, 0xDFFF, 0x2028, 0xFFFF, 0x1F600])
def test_each_character_is_written_as_the_standard_library_does(code):
    inputs = {"text": chr(code), chr(code): ["a", chr(code)]}

    assert canonical(inputs) == by_the_standard_library(inputs)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")], {"a": float("-inf")}])
def test_what_json_has_no_number_for_is_never_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": value})


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_names_does_not_matter(inputs):
    backwards = dict(reversed(inputs.items()))

    assert fingerprint("m", inputs) == fingerprint("m", backwards)


@given(st.dictionaries(st.text(), JSON), st.text())
def test_model_and_inputs_both_count(inputs, extra):
    assert fingerprint("m", inputs) != fingerprint("n", inputs)
    assert fingerprint("m", inputs) != fingerprint("m", {**inputs, extra: "another value"})
