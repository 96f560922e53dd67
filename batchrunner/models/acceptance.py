"""Which inputs are certainly right?

jsonschema explains, at dozens of microseconds a row; jsonschema-rs only says yes or no, a hundred times
faster.  Its yes must be jsonschema's yes, so it is given a *stricter* schema: where the two validators could
differ (regular expressions, floats, numbers beyond 2**53, formats), the stricter one takes less or nothing.
A no therefore says nothing at all: the row gets a second look by jsonschema.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import jsonschema_rs

from .._types import Inputs, Json
from .formats import ADDRESS_FORMATS, MAX_CHARACTERS
from .lenient import Schema
from .texts import EXACT

Accepts: TypeAlias = Callable[[Inputs], bool]

# Keywords that mean the same to both validators, for every value that the stricter schema lets through.
AGREED: Final = frozenset(
    {"type", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
     "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)  # fmt: skip
SILENT: Final = frozenset({"title", "description", "format"})  # `format` speaks only for addresses, below
NARROWING: Final = frozenset({"type", "enum", "const", "anyOf", "allOf"})

# An address that check_address certainly takes: plain ASCII, no login, no port that could be too high.
PLAIN_ADDRESS: Final = (
    r"^https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,4})?(?:[/?#][!#-\[\]-~]*)?$"
)

SCALAR: Final[Schema] = {
    "type": ["string", "number", "boolean", "null"], "minimum": -EXACT, "maximum": EXACT,
}  # fmt: skip


def acceptance(schema: Schema, *, takes_others: bool) -> Accepts:
    """Return what tells for a cleaned *schema* whether inputs are certainly right."""
    strict = stricter(schema)
    if isinstance(strict, dict) and not takes_others:
        strict["additionalProperties"] = False
    return jsonschema_rs.Draft202012Validator(strict, validate_formats=False).is_valid


def stricter(schema: Json) -> Json:
    """Return a schema that takes some of what *schema* takes, and nothing else; false where nothing is sure."""
    if isinstance(schema, bool) or not isinstance(schema, dict):
        return schema is True
    strict: Schema = {}
    for keyword, value in schema.items():
        if keyword in AGREED:
            strict[keyword] = value
        elif keyword == "properties" and isinstance(value, dict):
            strict[keyword] = {name: stricter(inner) for name, inner in value.items()}
        elif keyword in {"items", "additionalProperties"}:
            strict[keyword] = SCALAR if value is True else stricter(value)
        elif keyword in {"anyOf", "allOf"} and isinstance(value, list):
            strict[keyword] = [stricter(branch) for branch in value]
        elif keyword not in SILENT:
            return False
    return _within_bounds(_with_address(strict, schema.get("format")))


def _with_address(strict: Schema, format_: Json) -> Schema:
    if format_ not in ADDRESS_FORMATS:
        return strict
    longest = strict.get("maxLength", MAX_CHARACTERS)
    assert isinstance(longest, int | float)
    return {**strict, "pattern": PLAIN_ADDRESS, "maxLength": min(longest, MAX_CHARACTERS)}


def _within_bounds(strict: Schema) -> Schema:
    """Return *strict* for numbers that a double holds exactly, and for nothing nested that no schema describes."""
    low, high = strict.get("minimum", -EXACT), strict.get("maximum", EXACT)
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    bounded: Schema = {**strict, "minimum": max(low, -EXACT), "maximum": min(high, EXACT)}
    if not NARROWING & strict.keys():
        bounded["type"] = SCALAR["type"]
    if not {"anyOf", "allOf"} & strict.keys():
        bounded.setdefault("items", SCALAR)
        bounded.setdefault("additionalProperties", SCALAR)
    return bounded
