"""What an input takes, in words and by an example that is valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.models import InputSchema, Schemas, bundled_models
from batchrunner.models.describe import describe, example
from batchrunner.models.taking import takes

ADDRESS = {"type": "string", "format": "image_uri"}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "string", "maxLength": 500}, "text, at most 500 characters"),
        ({"type": "string", "minLength": 1}, "text, at least 1 character"),
        ({"type": "integer", "minimum": 2, "maximum": 12}, "a whole number, 2 to 12"),
        ({"type": "number"}, "a number"),
        ({"enum": ["480p", "720p"]}, "480p, 720p"),
        ({"enum": [2, 3, 4]}, "2 to 4"),
        ({"type": ["string", "null"]}, "text"),
        (ADDRESS, "an https address"),
        ({"type": "array", "items": ADDRESS, "minItems": 1, "maxItems": 4},
         "a list of https addresses, 1 to 4 items"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
         "a list, each a whole number, 2 items"),
        ({}, "any value"),
    ],
)  # fmt: skip
def test_limits_are_said_in_words(part, words):
    assert takes(part) == words


def test_what_is_needed_comes_first_and_a_default_of_null_is_none():
    schema = InputSchema.parse(
        "m",
        {"required": ["prompt"], "properties": {"seed": {"type": "integer", "default": None},
                                                "prompt": {"type": "string", "title": "What  to\nshow"}}},
    )  # fmt: skip

    prompt, seed = describe(schema)

    assert (prompt.name, prompt.is_required, prompt.about) == ("prompt", True, "What to show")
    assert (seed.default, schema.defaults) == (None, {})


@pytest.mark.parametrize("model", bundled_models())
def test_the_example_for_a_bundled_model_is_valid(model):
    schema = Schemas().get(model)
    assert schema is not None

    assert list(schema.problems(example(schema))) == []


PARTS = st.sampled_from(
    [
        {"type": "string"}, {"type": "string", "minLength": 60}, {"type": "string", "maxLength": 3},
        {"type": "integer", "minimum": 7}, {"type": "integer", "maximum": -3}, {"type": "float"},
        {"type": "number", "minimum": 0.5, "maximum": 0.75}, {"type": "boolean"}, {"enum": ["a", "b"]},
        {"type": "integer", "multipleOf": 8, "minimum": 9}, {"type": "integer", "default": 4},
        ADDRESS, {"type": "array", "items": ADDRESS, "minItems": 2}, {"type": "object"},
        {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]}, {"type": ["string", "null"]},
    ]
)  # fmt: skip


@given(st.dictionaries(st.sampled_from("abcdef"), PARTS, min_size=1))
def test_an_example_follows_the_plain_rules_of_any_schema(properties):
    schema = InputSchema.parse("m", {"properties": properties, "required": list(properties)})

    assert list(schema.problems(example(schema))) == []
