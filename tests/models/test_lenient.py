"""Published schemas are wrong in known ways, and usable all the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.errors import ManifestInvalid
from batchrunner.models import InputSchema


def schema_of(properties, **more) -> InputSchema:
    return InputSchema.parse("acme/a", {"type": "object", "properties": properties, **more})


def said(schema: InputSchema, inputs) -> list[str]:
    return [f"{finding.field}: {finding.message}" for finding in schema.problems(inputs)]


def test_float_is_a_number():
    schema = schema_of({"scale": {"type": "float", "minimum": 0, "maximum": 20, "default": None}})

    assert said(schema, {"scale": 2.5}) == []
    assert said(schema, {"scale": 21}) == ["scale: 21 is outside what is allowed (0 to 20)"]
    assert said(schema, {"scale": "x"}) == ['scale: "x" is not a number (0 to 20)']


def test_a_required_name_without_a_property_is_a_warning():
    schema = schema_of({"images": {"type": "array"}}, required=["images", "image_urls"])

    assert said(schema, {"images": []}) == []
    assert schema.warnings == ("the schema requires 'image_urls', which it does not define: ignored",)


def test_validations_of_their_own_and_unknown_formats_are_ignored():
    schema = schema_of(
        {
            "image": {
                "type": "string",
                "format": "mystery",
                "validations": [{"validation_rule": "file_size_mb<"}],
            }
        }
    )

    assert said(schema, {"image": "x"}) == []
    assert schema.warnings == ()


@pytest.mark.parametrize("form", ["image_uri", "image_uris", "video_uris", "audio_uri", "uri"])
@pytest.mark.parametrize("on_items", [True, False])
def test_an_address_format_counts_on_the_list_as_on_its_items(form, on_items):
    items = {"type": "string", "format": form}
    wanted = {"type": "array", "items": items} if on_items else {"type": "array", "format": form}

    assert said(schema_of({"images": wanted}), {"images": ["https://a.example/x", "x.png"]}) == [
        'images[1]: "x.png": not an https:// address but what looks like a local file'
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "mystery"}, {"type": 5}, {"enum": "x"}, {"enum": []}, {"minimum": "0"}, {"maxLength": None},
        {"exclusiveMinimum": True}, {"required": True}, {"pattern": "("}, {"items": 5}, {"anyOf": {}},
        {"properties": []}, {"multipleOf": 0}, {"$ref": "https://evil.example/s.json"}, {"$ref": "#/nowhere"},
        {"$ref": "#/properties/x"}, {"format": 5}, {"if": 5}, {"dependentRequired": 5}, True,
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_broken_part_is_not_checked_and_breaks_nothing_else(broken):
    schema = schema_of({"x": broken, "n": {"type": "integer"}}, required=["n"])

    assert said(schema, {"x": "any", "n": 1}) == []
    assert said(schema, {"x": "any"}) == ["n: missing, and the model needs it: a whole number"]


def test_a_false_schema_still_lets_the_row_through_with_a_warning():
    assert schema_of({"x": False}).warnings == ("x is not a schema: not checked",)


def test_references_inside_the_schema_are_followed():
    schema = schema_of(
        {"ratio": {"$ref": "#/$defs/Ratio", "title": "Ratio"}}, **{"$defs": {"Ratio": {"enum": ["1:1"]}}}
    )

    assert said(schema, {"ratio": "2:1"}) == ['ratio: "2:1" is not one of 1:1']


def test_a_schema_that_refers_to_itself_ends():
    schema = schema_of({"tree": {"$ref": "#"}})

    assert said(schema, {"tree": {"tree": {"tree": {}}}}) == []
    assert schema.warnings


def test_references_that_multiply_come_to_an_end():
    levels = {f"L{n}": {"allOf": [{"$ref": f"#/$defs/L{n + 1}"}] * 3} for n in range(25)}

    assert schema_of({"x": {"$ref": "#/$defs/L0"}}, **{"$defs": levels}).warnings


@pytest.mark.parametrize("document", [None, 5, "x", [], {"type": "array"}, {"type": ["object", "null"]}])
def test_what_describes_no_inputs_is_no_schema(document):
    with pytest.raises(ManifestInvalid, match="the input schema of acme/a"):
        InputSchema.parse("acme/a", document)


def test_unknown_inputs_are_taken_only_where_the_schema_says_so_or_says_nothing():
    assert said(InputSchema.parse("m", {}), {"any": 1}) == []
    assert said(schema_of({"a": {}}, additionalProperties=True), {"any": 1}) == []
    assert said(schema_of({"a": {}}), {"any": 1}) == ["any: acme/a has no input of this name (it has a)"]


WORDS = [
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "$ref",
    "anyOf",
    "format",
    "minimum",
    "pattern",
    "x",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["string", "object", "#", "#/properties/x", "("])
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(document=SCHEMAS, inputs=st.dictionaries(st.sampled_from(["x", "type", "items"]), LEAVES))
def test_any_document_is_refused_or_usable(document, inputs):
    try:
        schema = InputSchema.parse("acme/a", document)
    except ManifestInvalid:
        return

    assert all(finding.message for finding in schema.problems(inputs))
