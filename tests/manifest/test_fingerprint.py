"""The fingerprint is the same for the same request, and for nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchrunner.manifest import fingerprint

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


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_names_does_not_matter(inputs):
    backwards = dict(reversed(inputs.items()))

    assert fingerprint("m", inputs) == fingerprint("m", backwards)


@given(st.dictionaries(st.text(), JSON), st.text())
def test_model_and_inputs_both_count(inputs, extra):
    assert fingerprint("m", inputs) != fingerprint("n", inputs)
    assert fingerprint("m", inputs) != fingerprint("m", {**inputs, extra: "another value"})
