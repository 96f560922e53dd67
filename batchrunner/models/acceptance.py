"""Which inputs are certainly right?

jsonschema explains, at dozens of microseconds a row; jsonschema-rs only says yes or no, a hundred times
faster.  Its yes must be jsonschema's yes, so it is given a *stricter* schema: where the two validators could
differ (regular expressions, remainders, limits beyond 2**53, formats), the stricter one takes less or
nothing.  A no therefore says nothing at all: the row gets a second look by jsonschema.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias

import jsonschema_rs

from .._types import Inputs, Json
from .formats import ADDRESS_FORMATS, MAX_CHARACTERS
from .lenient import Schema
from .texts import EXACT

Accepts: TypeAlias = Callable[[Inputs], bool]
AcceptsColumns: TypeAlias = Callable[[Mapping[str, Sequence[Json]]], bool]

# Keywords that mean the same to both validators.
AGREED: Final = frozenset(
    {"type", "enum", "const", "required", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
     "minProperties", "maxProperties"}
)  # fmt: skip
UPPER: Final = frozenset({"maximum", "exclusiveMaximum"})
LIMITS: Final = UPPER | {"minimum", "exclusiveMinimum"}
SILENT: Final = frozenset({"title", "description", "format"})  # `format` speaks only for addresses, below

# An address that check_address certainly takes: plain ASCII, no login, no port that could be too high.
PLAIN_ADDRESS: Final = (
    r"^https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,4})?(?:[/?#][!#-\[\]-~]*)?$"
)


def acceptance(schema: Schema) -> Accepts:
    """Return what tells for a cleaned *schema* whether inputs, all named there, are certainly right."""
    strict = stricter(schema)
    if isinstance(strict, dict):
        strict["additionalProperties"] = False
    try:
        return jsonschema_rs.Draft202012Validator(strict, validate_formats=False).is_valid
    except ValueError:  # such as a maxLength of 10.5, which jsonschema takes
        return _never


def acceptance_by_column(schema: Schema) -> AcceptsColumns | None:
    """Return what tells whether all of many inputs are certainly right, from the values of each name.

    None stands for a value that one of them does not have.  There is no telling by column for a schema that
    says more of an object than which values its names have and which names it needs.
    """
    strict = stricter(schema)
    if not isinstance(strict, dict) or strict.keys() - {"type", "properties", "required"}:
        return None
    properties, required = strict.get("properties", {}), strict.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    try:
        columns = {
            name: jsonschema_rs.Draft202012Validator(
                {"type": "array", "items": inner}, validate_formats=False
            )
            for name, inner in properties.items()
        }
    except ValueError:  # such as a maxLength of 10.5, which jsonschema takes
        return None
    needed = frozenset(map(str, required))
    few = {name for name, inner in properties.items() if isinstance(inner, dict) and "enum" in inner}

    def accepts(values: Mapping[str, Sequence[Json]]) -> bool:
        return needed <= values.keys() <= columns.keys() and all(
            _is_right(columns[name], column, is_needed=name in needed, is_chosen=name in few)
            for name, column in values.items()
        )

    return accepts


def _is_right(
    validator: jsonschema_rs.Draft202012Validator, column: Sequence[Json], *, is_needed: bool, is_chosen: bool
) -> bool:
    values: Collection[Json] = column
    if None in column:
        if is_needed:
            return False
        values = [value for value in column if value is not None]
    if is_chosen and {*map(type, values)} in ONE_KIND:
        values = set(values)  # a few words, written again and again
    return validator.is_valid(list(values))


ONE_KIND: Final = ({str}, {int})
"""Types of which equal values are the same value to a schema: True is equal to 1."""


def _never(_: Inputs) -> bool:
    return False


def stricter(schema: Json) -> Schema | bool:
    """Return a schema that takes some of what *schema* takes and no more, false where nothing is sure."""
    if not isinstance(schema, dict):
        return schema is True
    strict: Schema = {}
    for keyword, value in schema.items():
        if keyword in AGREED:
            strict[keyword] = value
        elif keyword in LIMITS and isinstance(value, int | float):
            strict[keyword] = near = max(-EXACT, min(value, EXACT))
            if (near > value) if keyword in UPPER else (near < value):
                return False  # the nearer limit would take more
        elif keyword == "properties" and isinstance(value, dict):
            strict[keyword] = {name: stricter(inner) for name, inner in value.items()}
        elif keyword in {"items", "additionalProperties"}:
            strict[keyword] = stricter(value)
        elif keyword in {"anyOf", "allOf"} and isinstance(value, list):
            strict[keyword] = [stricter(branch) for branch in value]
        elif keyword not in SILENT:
            return False
    return _with_address(strict) if schema.get("format") in ADDRESS_FORMATS else strict


def _with_address(strict: Schema) -> Schema:
    longest = strict.get("maxLength", MAX_CHARACTERS)
    assert isinstance(longest, int | float)
    return {**strict, "pattern": PLAIN_ADDRESS, "maxLength": min(longest, MAX_CHARACTERS)}
