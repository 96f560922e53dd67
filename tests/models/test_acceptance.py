"""What the compiled validator takes, jsonschema takes: its yes is worth a whole look."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.models import InputSchema, Schemas
from batchrunner.models.formats import ADDRESS_FORMATS, BadAddress, check_address

SEEDANCE = "bytedance/seedance-1-0/lite/reference-to-video"
GOOD = {"text": "a fox", "images": ["https://images.example.com/a.png"], "duration": 5, "seed": -3}

# ── generated schemas: the keywords that published ones use, in shapes right and wrong ──

TEXTS = st.sampled_from(
    ["", "a", "a\n", "٥", "ab", "16:9", "5", "😀", "é", "https://a.example/x", "http://a.example", "x" * 9]
)
BIG = [2**63, 2**64, 2**64 + 1, 2.0**64, -(2**63) - 1, 10**40, 1e300, -1e300]
NUMBERS = st.integers(-4, 4) | st.sampled_from([0.0, 1.0, -1.5, 0.1, 0.3, 2**53, 2.0**53, 2**53 + 1, *BIG])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
SIZES = st.integers(-1, 4) | st.sampled_from([1.0, 1.5])
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null", "float"])
KEYWORDS = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3),
    "enum": st.lists(VALUES, min_size=1, max_size=4),
    "const": VALUES,
    "minimum": NUMBERS, "maximum": NUMBERS, "exclusiveMinimum": NUMBERS, "exclusiveMaximum": NUMBERS,
    "multipleOf": NUMBERS,
    "minLength": SIZES, "maxLength": SIZES, "minItems": SIZES, "maxItems": SIZES,
    "minProperties": SIZES, "maxProperties": SIZES,
    "pattern": st.sampled_from(["^a", "^\\d$", "^.$", "a$", "["]),
    "format": st.sampled_from(["uri", "image_uri", "email", "date"]),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, max_size=2),
}  # fmt: skip
FLAT = st.fixed_dictionaries({}, optional=KEYWORDS)


def nested(inner):
    lists = st.lists(inner, min_size=1, max_size=3)
    deeper = {
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "items": inner, "contains": inner, "not": inner, "additionalProperties": inner | st.booleans(),
        "anyOf": lists, "oneOf": lists, "allOf": lists,
    }  # fmt: skip
    return st.fixed_dictionaries({}, optional={**KEYWORDS, **deeper})


SCHEMAS = st.recursive(FLAT | st.booleans(), nested, max_leaves=5)


@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=10))
def test_what_is_accepted_has_no_problems(wanted, values):
    schema = InputSchema.parse("m", {"properties": {"a": wanted}})

    for value in values:
        if schema.accepts({"a": value}):
            assert list(schema.problems({"a": value})) == []


ONE_KEYWORD = st.sampled_from(sorted(KEYWORDS)).flatmap(
    lambda name: st.fixed_dictionaries({name: KEYWORDS[name]})
)


@settings(max_examples=2 * settings.default.max_examples)  # of one keyword in 18 each
@given(ONE_KEYWORD, st.lists(SCALARS | st.lists(SCALARS, max_size=3), min_size=1, max_size=10))
def test_each_keyword_alone_takes_no_more_than_jsonschema_does(wanted, values):
    schema = InputSchema.parse("m", {"properties": {"a": wanted}})

    for value in values:
        if schema.accepts({"a": value}):
            assert list(schema.problems({"a": value})) == []


PLAIN = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"maxLength": st.integers(0, 9)}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"minimum": st.integers(-4, 4), "maximum": st.integers(-4, 4)},
    ),
    st.fixed_dictionaries({"enum": st.lists(TEXTS | st.integers(-4, 4), min_size=1)}),
    st.fixed_dictionaries(
        {"type": st.just("array"), "items": st.just({"type": "string"})},
        optional={"maxItems": st.integers(0, 3)},
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}),
)
PLAIN_VALUES = st.integers(-6, 6) | st.booleans() | TEXTS | st.lists(TEXTS, max_size=4) | st.floats(-3, 3)


@given(st.dictionaries(NAMES, PLAIN, min_size=1), st.dictionaries(NAMES, PLAIN_VALUES))
def test_on_the_usual_schemas_both_validators_give_the_same_verdict(properties, inputs):
    schema = InputSchema.parse("m", {"properties": properties})

    assert schema.accepts(inputs) == (list(schema.problems(inputs)) == [])


@settings(max_examples=2 * settings.default.max_examples)
@given(st.text("https:/?#[]@.-_~!%&aZ0é \\\t:", max_size=30).map(lambda rest: f"https://{rest}"))
def test_an_accepted_address_is_one_that_the_service_can_fetch(address):
    schema = InputSchema.parse("m", {"properties": {"a": {"type": "string", "format": "uri"}}})

    if schema.accepts({"a": address}):
        check_address(address)


# ── the bundled model ──


def test_good_inputs_are_accepted_at_first_sight():
    assert Schemas().get(SEEDANCE).accepts(GOOD)


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example",
        "https://a.example:8080/x.png?y=1&z=%20#f",
        "https://1.2.3.4/~x/(1)[2],@!$'*+;=|",
        "https://a/",
    ],
)
def test_the_usual_addresses_are_accepted_at_first_sight(address):
    assert Schemas().get(SEEDANCE).accepts({**GOOD, "images": [address]})


@pytest.mark.parametrize(
    "change",
    [{"text": "x" * 501}, {"text": None}, {"images": []}, {"images": ["http://a.example/x"]},
     {"images": ["https://user:word@a.example/x"]}, {"images": ["https://a.example:99999/x"]},
     {"images": ["https://a.example/x\n"]}, {"duration": 13}, {"duration": True}, {"seed": "5"}, {"sed": 5}],
)  # fmt: skip
def test_wrong_inputs_get_the_second_look(change):
    assert not Schemas().get(SEEDANCE).accepts({**GOOD, **change})


@pytest.mark.parametrize("format_", sorted(ADDRESS_FORMATS))
def test_each_format_for_addresses_is_looked_at(format_):
    schema = InputSchema.parse("m", {"properties": {"a": {"type": "string", "format": format_}}})

    assert schema.accepts({"a": "https://a.example/x"})
    assert not schema.accepts({"a": "a.png"})


def test_an_input_that_cannot_be_judged_at_first_sight_leaves_the_others_alone():
    schema = InputSchema.parse("m", {"properties": {"a": {"pattern": "^a"}, "b": {"type": "string"}}})

    assert schema.accepts({"b": "x"})
    assert not schema.accepts({"a": "a", "b": "x"})


def test_a_schema_that_only_jsonschema_can_use_accepts_nothing_at_first_sight():
    schema = InputSchema.parse("m", {"properties": {"a": {"type": "string", "maxLength": 1.5}}})

    assert not schema.accepts({"a": "x"})
    assert list(schema.problems({"a": "x"})) == []


def test_a_bad_address_is_still_explained():
    with pytest.raises(BadAddress, match="only https"):
        check_address("http://a.example/x")
