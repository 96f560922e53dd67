"""What does a value mean, given what the model's schema wants there?"""

from __future__ import annotations

from .._types import Json
from ..models.lenient import Schema, branch_for, kinds
from ..models.texts import as_written_back, from_text, number, whole
from ..models.wording import show
from .rows import Cell, Plain, Untyped
from .strict_json import BadJson, parse_json


class Untypable(ValueError):
    """Text in a cell that is no list or mapping although one is wanted."""


def typed(value: Json, schema: Schema) -> Json:
    """Return *value* as *schema* wants it; text that is no such value stays text, for validation to name.

    Raises Untypable for a cell that should hold a list or JSON and does not.
    """
    if isinstance(value, Untyped):
        return _typed_text(value, schema)
    if isinstance(value, list):
        items = branch_for(schema, "array").get("items")
        return [typed(item, items if isinstance(items, dict) else {}) for item in value]
    if isinstance(value, dict):
        return _typed_mapping(value, schema)
    if isinstance(value, float) and "integer" in kinds(schema):
        return whole(value)
    return value


def untyped(value: Json) -> Json:
    """Return *value* where no schema says what is wanted."""
    return typed(value, {})


def _typed_mapping(value: dict[str, Json], schema: Schema) -> Json:
    properties = branch_for(schema, "object").get("properties")
    known = properties if isinstance(properties, dict) else {}
    result: dict[str, Json] = {}
    for name, inner in value.items():
        wanted = known.get(name)
        result[name] = typed(inner, wanted if isinstance(wanted, dict) else {})
    return result


def _typed_text(text: Untyped, schema: Schema) -> Json:
    wanted = kinds(schema)
    if not wanted and "enum" not in schema:
        return as_written_back(text) if isinstance(text, Plain) else str(text)
    value = from_text(text, schema)
    if not isinstance(value, str) or "string" in wanted:
        return value
    if isinstance(text, Plain):
        # 5.0 is a whole number to YAML as to JSON; in a cell it stays text and is refused
        exact = whole(number(text)) if "integer" in wanted else None
        return exact if isinstance(exact, int) else value
    if "array" in wanted:
        return _typed_list(text, schema)
    return _parsed(text, "mapping") if "object" in wanted else value


def _typed_list(text: Untyped, schema: Schema) -> Json:
    """Return the list in a cell: a JSON array, or items joined by ``|``."""
    if text.lstrip().startswith("["):
        return _parsed(text, "list")
    items = [item.strip() for item in text.split("|")]
    if not all(items):
        raise Untypable(f"item {items.index('') + 1} of {show(text)} is empty (items are joined by |)")
    return typed([Cell(item) for item in items], schema)


def _parsed(text: str, what: str) -> Json:
    try:
        return parse_json(text)
    except BadJson as error:
        raise Untypable(f"{show(text)} is not a JSON {what}: {error}") from None
