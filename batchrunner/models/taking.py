"""What does an input take, in words?

Read from a part of a cleaned schema; pure.
"""

from __future__ import annotations

from typing import Final

from .._types import Json
from .formats import ADDRESS_FORMATS
from .lenient import Schema, branch_for, kinds
from .wording import bare, listed, show

# What the types are called, in words for people who have never seen a schema.
TYPE_NAMES: Final = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a mapping of names to values", "null": "empty",
}  # fmt: skip


def takes(schema: Schema) -> str:
    """Return what *schema* allows, in words."""
    values = schema.get("enum")
    if isinstance(values, list):
        return listed(values) if len(values) > 1 else bare(values[0])
    wanted = kinds(schema) - {"null"}
    if "array" in wanted:
        return _list(branch_for(schema, "array"))
    if schema.get("format") in ADDRESS_FORMATS:
        return "an https address"
    names = " or ".join(TYPE_NAMES[kind] for kind in TYPE_NAMES if kind in wanted) or "any value"
    limits = _limits(schema)
    return f"{names}, {limits}" if limits else names


def _list(schema: Schema) -> str:
    items = schema.get("items")
    of = ""
    if isinstance(items, dict) and items:
        of = " of https addresses" if items.get("format") in ADDRESS_FORMATS else f", each {takes(items)}"
    count = _between(schema.get("minItems"), schema.get("maxItems"), "item")
    return f"a list{of}, {count}" if count else f"a list{of}"


def _limits(schema: Schema) -> str:
    length = _between(schema.get("minLength"), schema.get("maxLength"), "character")
    return length or _between(schema.get("minimum"), schema.get("maximum"))


def _between(low: Json, high: Json, thing: str = "") -> str:
    """Return the limits in words, such as ``2 to 12``, or ``at most 1 item`` with a *thing*."""
    if low is None and high is None:
        return ""
    last = low if high is None else high
    things = f" {thing}" + ("" if last == 1 else "s") if thing else ""
    if low is not None and high is not None and low != high:
        return f"{show(low)} to {show(high)}{things}"
    word = "at least " if high is None else "at most " if low is None else ""
    return f"{word}{show(last)}{things}"
