"""What does text mean where the schema, not the text, decides?

One rule for everything without a type of its own (a CSV cell, a YAML plain scalar): text that is exactly a
value of a wanted type becomes that value; anything else stays text, and validation says what is wrong.
"""

from __future__ import annotations

import math
import re
from typing import Final

from .._types import Json
from .lenient import Schema, kinds
from .wording import bare

INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
NUMBER: Final = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
)  # as in JSON, RFC 8259 section 6

MAX_DIGITS: Final = 300  # what a double can hold as a whole number; Python refuses to read 4,301
EXACT: Final = 2**53  # above it a double no longer holds every whole number


def from_text(text: str, schema: Schema) -> Json:
    """Return *text* as the single value *schema* wants, as text where it is none.  Lists are the caller's."""
    listed = schema.get("enum")
    wanted = kinds(schema)
    if not wanted and isinstance(listed, list):
        return next((value for value in listed if bare(value) == text), str(text))
    if "string" in wanted:
        return str(text)
    value: Json = None
    if "integer" in wanted:
        value = whole_number(text)
    if value is None and "number" in wanted:
        value = number(text)
    if value is None and "boolean" in wanted:
        value = {"true": True, "false": False}.get(text.lower())
    return str(text) if value is None else value


def whole_number(text: str) -> int | None:
    """Return the whole number that *text* is, None when it is none: ``5``, but not ``5.0`` or ``007``."""
    return int(text) if len(text) <= MAX_DIGITS and INTEGER.fullmatch(text) else None


def number(text: str) -> int | float | None:
    """Return the number that *text* is in JSON's notation, None when it is none or beyond all bounds."""
    if len(text) > MAX_DIGITS or not NUMBER.fullmatch(text):
        return None
    whole = whole_number(text)
    if whole is not None:
        return whole
    value = float(text)
    return value if math.isfinite(value) else None


def as_written_back(text: str) -> Json:
    """Return the number or truth value that is written exactly as *text*, else the text.

    The rule where no schema says what is wanted: 5, 1.5 and true have one meaning, 007, 1.10 and no are text.
    """
    if text in {"true", "false"}:
        return text == "true"
    value = number(text)
    return value if value is not None and repr(value) == text else str(text)


def whole(value: Json) -> Json:
    """Return a float without a fraction as the whole number it is (5.0 is 5), anything else as it is."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= EXACT
    return int(value) if is_whole and isinstance(value, float) else value
