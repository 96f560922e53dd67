"""How does a published input schema become one that a validator can use?

RunComfy's schemas are wrong in known ways (API page, section 3): the type "float", `default: null`,
required names without a property, `validations` of their own.  So only keywords known here, with values of
the right shape, are kept; what is dropped and would have mattered is a warning, never a refusal.  References
inside the schema are written out, references outside it are not followed: nothing here opens a connection.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .._types import Json
from .formats import ADDRESS_FORMATS

Schema: TypeAlias = "dict[str, Json]"

TYPES: Final = {
    **{name: name for name in ("string", "integer", "number", "boolean", "array", "object", "null")},
    "float": "number",  # met in published schemas
}
NUMERIC: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
     "minItems", "maxItems", "minProperties", "maxProperties"}
)  # fmt: skip
NESTED: Final = frozenset({"items", "additionalProperties", "not", "contains"})
LISTS: Final = frozenset({"anyOf", "oneOf", "allOf"})
WORDS: Final = frozenset({"title", "description"})

MAX_NODES: Final = 20_000  # written-out references may multiply; a real schema has some dozens
MAX_DEPTH: Final = 32  # also ends a reference to itself


def kinds(schema: Schema) -> frozenset[str]:
    """Return the types a cleaned *schema* names, through anyOf, oneOf and allOf; empty when it names none."""
    named = schema.get("type")
    if isinstance(named, str):
        return frozenset({named})
    if isinstance(named, list):
        return frozenset(str(name) for name in named)
    return frozenset().union(*(kinds(branch) for branch in _branches(schema)))


def branch_for(schema: Schema, kind: str) -> Schema:
    """Return the part of *schema* that speaks about values of *kind*: itself, or a branch of its anyOf."""
    if schema.get("type") is None:
        for branch in _branches(schema):
            if kind in kinds(branch):
                return branch_for(branch, kind)
    return schema


def _branches(schema: Schema) -> list[Schema]:
    found: list[Schema] = []
    for keyword in sorted(LISTS & schema.keys()):
        value = schema[keyword]
        found += [branch for branch in value if isinstance(branch, dict)] if isinstance(value, list) else []
    return found


class Cleaner:
    """Cleans one document; `warnings` says what had to be dropped."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._left = MAX_NODES
        self.warnings: list[str] = []

    def clean(self, node: Json, where: str = "", depth: int = 0) -> Schema:
        """Return *node* with only the keywords a validator can rely on."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            return self._dropped(where, "is nested too deeply or refers to itself")
        if not isinstance(node, dict):
            return {} if node is True else self._dropped(where, "is not a schema")
        node = self._followed(node, where)
        kept: Schema = {}
        for keyword, value in node.items():
            cleaned = self._keyword(keyword, value, where, depth)
            if cleaned is not None:
                kept[keyword] = cleaned
        return _with_formats_on_items(self._with_known_required(kept, where))

    def _keyword(self, keyword: str, value: Json, where: str, depth: int) -> Json:
        """Return the cleaned value of one keyword, None to drop it."""
        if keyword == "properties" and isinstance(value, dict):
            return {name: self.clean(part, _inside(where, name), depth + 1) for name, part in value.items()}
        if keyword in NESTED and isinstance(value, dict | bool):
            is_switch = keyword == "additionalProperties" and isinstance(value, bool)
            return value if is_switch else self.clean(value, _inside(where, keyword), depth + 1)
        if keyword in LISTS and isinstance(value, list) and value:
            return [self.clean(part, where, depth + 1) for part in value]
        return self._plain_keyword(keyword, value, where)

    def _plain_keyword(self, keyword: str, value: Json, where: str) -> Json:
        match keyword, value:
            case "type", _:
                return self._type(value, where)
            case ("const", _) | ("uniqueItems", bool()) | ("format", str()):
                return value
            case (("enum" | "required"), list()) if value:
                return value
            case "pattern", str():
                return self._pattern(value, where)
        if keyword in WORDS and isinstance(value, str):
            return value
        if keyword in NUMERIC and isinstance(value, int | float) and not isinstance(value, bool):
            return value if keyword != "multipleOf" or value > 0 else None
        return None

    def _type(self, value: Json, where: str) -> Json:
        names = value if isinstance(value, list) else [value]
        known = [TYPES[name] for name in names if isinstance(name, str) and name in TYPES]
        if not known or len(known) < len(names):
            self._dropped(where, "names a type that is not known")
            return None
        return list(dict.fromkeys(known)) if len(known) > 1 else known[0]

    def _pattern(self, value: str, where: str) -> Json:
        try:
            re.compile(value)
        except re.error:
            self._dropped(where, "has a pattern that cannot be used")
            return None
        return value

    def _with_known_required(self, node: Schema, where: str) -> Schema:
        required, properties = node.get("required"), node.get("properties", {})
        if not isinstance(required, list) or not isinstance(properties, dict):
            return node
        known: list[Json] = [name for name in required if isinstance(name, str) and name in properties]
        for name in required:
            if name not in known:
                self.warnings.append(
                    f"{where or 'the schema'} requires {name!r}, which it does not define: ignored"
                )
        rest = {keyword: value for keyword, value in node.items() if keyword != "required"}
        return {**rest, "required": list(dict.fromkeys(map(str, known)))} if known else rest

    def _followed(self, node: Schema, where: str) -> Schema:
        """Write out the reference of *node*; what stands beside it wins."""
        for _ in range(MAX_DEPTH):
            if "$ref" not in node:
                return node
            target = _pointed(self._document, node["$ref"])
            if target is None:
                self._dropped(where, f"refers to {str(node['$ref'])[:80]}, which is not in this schema")
                target = {}
            node = {**target, **{keyword: value for keyword, value in node.items() if keyword != "$ref"}}
        return {}

    def _dropped(self, where: str, why: str) -> Schema:
        self.warnings.append(f"{where or 'the schema'} {why}: not checked")
        return {}


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _pointed(document: Schema, reference: Json) -> Schema | None:
    """Return what a reference such as ``#/$defs/Ratio`` points at, None when it leads elsewhere."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    node: Json = document
    for step in reference[2:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None


def _with_formats_on_items(node: Schema) -> Schema:
    """Move an address format from a list to its items: both places are met (API page, section 3)."""
    if node.get("format") not in ADDRESS_FORMATS or "array" not in kinds(node):
        return node
    items = node.get("items")
    items = items if isinstance(items, dict) else {}
    rest = {keyword: value for keyword, value in node.items() if keyword != "format"}
    return {**rest, "items": {"format": node["format"], **items}}
