"""What may stand in each input of a model, in words and by example?

Read from a cleaned schema; pure.  For ``models show`` and for the manifests that ``init`` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .._types import Inputs, Json
from .formats import ADDRESS_FORMATS
from .lenient import Schema, branch_for, kinds
from .schema import InputSchema
from .taking import takes

EXAMPLE_TEXT: Final = "A red fox runs through fresh snow."

KINDS_OF_ADDRESS: Final = {"image": "picture.png", "video": "film.mp4", "audio": "sound.mp3"}


class Described(Struct, frozen=True, kw_only=True):
    """One input, for people."""

    name: str
    is_required: bool
    takes: str
    """Type and limits: ``a whole number, 2 to 12``."""
    default: Json
    """None: the schema names none."""
    about: str
    """The schema's own title and description, on one line."""


def describe(schema: InputSchema) -> Iterator[Described]:
    """Yield every input of a model, those it needs first."""
    names = sorted(schema.properties, key=lambda name: name not in schema.required)
    for name in names:
        yield Described(
            name=name,
            is_required=name in schema.required,
            takes=takes(schema.properties[name]),
            default=schema.defaults.get(name),
            about=_about(schema.properties[name]),
        )


def _about(schema: Schema) -> str:
    words = (schema.get("title"), schema.get("description"))
    return ": ".join(" ".join(word.split()) for word in words if isinstance(word, str) and word.strip())


# ── examples ──


def example(schema: InputSchema) -> Inputs:
    """Return inputs a model takes: those it needs, by example."""
    return {name: _example(schema.properties[name], name, schema) for name in schema.properties
            if name in schema.required}  # fmt: skip


def _example(part: Schema, name: str, schema: InputSchema) -> Json:
    default = schema.defaults.get(name)
    return default if default is not None else _value(part)


def _value(part: Schema) -> Json:
    """Return a value that *part* allows, as far as its plain keywords say."""
    values = part.get("enum")
    if isinstance(values, list) and values:
        return values[0]
    wanted = kinds(part)
    if "array" in wanted:
        return _items(branch_for(part, "array"))
    if "string" in wanted or not wanted:
        return _text(branch_for(part, "string"))
    for kind in ("integer", "number"):
        if kind in wanted:
            return _size(branch_for(part, kind))
    return False if "boolean" in wanted else {}


def _items(part: Schema) -> Json:
    items, least = part.get("items"), part.get("minItems")
    one = _value(items) if isinstance(items, dict) else EXAMPLE_TEXT
    return [one] * (int(least) if isinstance(least, int | float) and least > 1 else 1)


def _text(part: Schema) -> str:
    form = part.get("format")
    if form in ADDRESS_FORMATS:
        file = KINDS_OF_ADDRESS.get(str(form).partition("_")[0], "picture.png")
        return f"https://example.com/{file}"
    most, least = part.get("maxLength"), part.get("minLength")
    text = EXAMPLE_TEXT[: int(most)] if isinstance(most, int | float) else EXAMPLE_TEXT
    return text.ljust(int(least), ".") if isinstance(least, int | float) else text


def _size(part: Schema) -> Json:
    low, high, step = part.get("minimum"), part.get("maximum"), part.get("multipleOf")
    if isinstance(step, int | float) and isinstance(low, int | float):
        return int(-(-low // step) * step) if isinstance(step, int) else low
    return next((limit for limit in (low, high, step) if isinstance(limit, int | float)), 1)
