"""A finding names the field, what is wrong and what is allowed."""

from __future__ import annotations

import pytest

from batchrunner.models import InputSchema, Schemas
from batchrunner.models.wording import show

NINES = "9" * 60
BEYOND = "301 digits are beyond all bounds"


def findings(properties, inputs):
    schema = InputSchema.parse("acme/a", {"properties": properties})
    return [(finding.field, finding.message, finding.hint) for finding in schema.problems(inputs)]


@pytest.mark.parametrize(
    ("schema", "value", "message", "hint"),
    [
        ({"type": "string", "enum": ["480p", "720p"]}, "1080p", '"1080p" is not one of 480p, 720p', None),
        ({"enum": ["480P"]}, "480p", '"480p" is not one of 480P', 'did you mean "480P"?'),
        ({"type": "integer", "enum": [2, 3, 4]}, 13, "13 is not one of 2 to 4", None),
        ({"type": "integer", "enum": [5, 10]}, "x", '"x" is not a whole number (5, 10)', None),
        ({"type": "integer", "minimum": 0}, "x", '"x" is not a whole number (at least 0)', None),
        ({"type": "integer", "maximum": 9}, True, "true is not a whole number (at most 9)", None),
        ({"type": "integer"}, "5", '"5" is not a whole number', "write it without quotes"),
        ({"type": "integer"}, " 5", '" 5" is not a whole number', "remove the blanks around it"),
        ({"type": "integer"}, "007", '"007" is not a whole number', "write it without the leading zeros"),
        ({"type": "integer"}, "9" * 301, f"\"{NINES}…\" is not a whole number", BEYOND),
        ({"type": "boolean"}, "yes", '"yes" is not true or false', None),
        ({"type": "boolean"}, "True", '"True" is not true or false', "write it without quotes"),
        ({"type": "string"}, 5, "5 is not text", 'write it in quotes: "5"'),
        ({"type": "array"}, "x", '"x" is not a list', 'write a list: ["x"]'),
        ({"type": "object"}, [1], "[1] is not a mapping of names to values", None),
        ({"type": ["integer", "string"]}, [], "[] is not text or a whole number", None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x", '"x" is not a whole number', None),
        ({"minimum": 1, "maximum": 5}, 7, "7 is outside what is allowed (1 to 5)", None),
        ({"exclusiveMinimum": 1}, 1, "1 is not more than 1", None),
        ({"exclusiveMaximum": 1}, 1, "1 is not less than 1", None),
        ({"multipleOf": 8}, 9, "9 is not a multiple of 8", None),
        ({"maxLength": 3}, "abcd", "4 characters, at most 3 allowed", "shorten it by 1"),
        ({"minLength": 2}, "a", "1 character, at least 2 needed", None),
        ({"maxItems": 1}, [1, 2], "2 items, at most 1 allowed", None),
        ({"minItems": 1}, [], "0 items, at least 1 needed", None),
        ({"uniqueItems": True}, [1, 1], "[1, 1] holds the same item twice", None),
        ({"pattern": "^a$"}, "b", '"b" does not match the pattern "^a$"', None),
        ({"const": 1}, 2, "2 is not one of 1", None),
        ({"not": {"type": "string"}}, "x", '"x" does not fit the model\'s rule \'not\'', None),
    ],
)  # fmt: skip
def test_what_is_wrong_and_what_is_allowed(schema, value, message, hint):
    assert findings({"x": schema}, {"x": value}) == [("x", message, hint)]


def test_a_wrong_type_is_one_finding_however_many_rules_it_breaks():
    assert findings({"x": {"enum": [1], "minLength": 2, "type": "integer"}}, {"x": "a"}) == [
        ("x", '"a" is not a whole number (1)', None)
    ]


def test_a_finding_inside_names_the_way_to_it():
    loras = {"type": "array", "items": {"required": ["path"], "properties": {"path": {"type": "string"}}}}

    assert findings({"loras": loras}, {"loras": [{"path": 1}, {}]}) == [
        ("loras[0].path", "1 is not text", 'write it in quotes: "1"'),
        ("loras[1].path", "missing, and the model needs it: text", None),
    ]


def test_an_unknown_name_inside_is_named_with_the_nearest():
    inner = {"additionalProperties": False, "properties": {"path": {}}}

    assert findings({"lora": inner}, {"lora": {"pth": 1}}) == [
        ("lora", "pth is not known here", "did you mean `path`?")
    ]


def test_long_values_are_shortened():
    ((_, message, _),) = findings({"x": {"enum": ["a"]}}, {"x": "y" * 10_000})

    assert message == f'"{"y" * 60}…" is not one of a'


def test_lengths_are_counted_in_characters():
    (schema,) = [Schemas().get("bytedance/seedance-1-0/lite/reference-to-video")]
    images = ["https://a.example/x"]

    assert list(schema.problems({"text": "😀" * 500, "images": images})) == []
    assert [f.message for f in schema.problems({"text": "😀" * 501, "images": images})] == [
        "501 characters, at most 500 allowed"
    ]


def test_a_typo_counts_as_the_name_it_is_nearest_to_not_as_another_of_the_same_meaning():
    schema = InputSchema.parse("acme/a", {"properties": {"video": {}, "video_url": {}}})

    assert (schema.meant("video_ur"), schema.meant("videos"), schema.meant("fps")) == (
        "video_url",
        "video",
        None,
    )


def test_the_password_in_an_address_is_not_repeated() -> None:
    assert show("https://me:secret@host/cat.jpg") == '"https://…@host/cat.jpg"'


def test_values_that_are_equal_in_python_are_told_apart():
    schema = InputSchema.parse("acme/a", {"properties": {"x": {"type": "string"}}})

    said = [[finding.message for finding in schema.problems({"x": value})] for value in (1, True, 1.0, 1)]

    assert said == [["1 is not text"], ["true is not text"], ["1.0 is not text"], ["1 is not text"]]


def test_rules_about_several_inputs_together_are_kept():
    document = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "minProperties": 2}
    schema = InputSchema.parse("acme/a", document)

    assert [finding.path for finding in schema.problems({"a": "x"})] == [()]
    assert not list(schema.problems({"a": "x", "b": "y"}))
