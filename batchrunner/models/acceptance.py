"""Which inputs are certainly right?

jsonschema explains, at dozens of microseconds a row; jsonschema-rs only says yes or no, a hundred times
faster.  Its yes must be jsonschema's yes, so it is given a *stricter* schema: where the two validators could
differ (regular expressions, remainders, limits beyond 2**53, formats), the stricter one takes less or
nothing.  A no therefore says nothing at all: the row gets a second look by jsonschema.
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
