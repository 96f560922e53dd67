"""Which job key does a name in a manifest stand for?

``seed`` and ``input.seed`` are one input, ``meta: {a: 1}`` and ``meta.a`` one note.  Inside this room every
name has the one form Key: ``id``, ``model``, ``meta.NAME`` or ``input.NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NewType

from msgspec import Struct

from .._types import Json
from ..models.wording import show
from .rows import Cell
from .strict_json import BadJson, parse_json

Key = NewType("Key", str)

ID: Final = Key("id")
MODEL: Final = Key("model")
GROUPS: Final = ("meta", "input")

MODEL_ID: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


class Field(Struct, frozen=True, kw_only=True):
    """One value a row, the defaults or the matrix gives, and the way to it in what was written."""

    value: Json
    path: tuple[str, ...]


class BadField(ValueError):
    """A name or a group that cannot be read: the message says why, `path` where."""

    def __init__(self, message: str, path: tuple[str, ...]) -> None:
        super().__init__(message)
        self.path = path


def key_of(name: str) -> Key:
    """Return the job key that a written *name* stands for."""
    if name in {ID, MODEL} or name.startswith(("meta.", "input.")):
        return Key(name)
    return Key(f"input.{name}")


def input_name(key: Key) -> str | None:
    """Return the model's own name of an input, None when *key* is no input."""
    return key.removeprefix("input.") if key.startswith("input.") else None


def meta_name(key: Key) -> str | None:
    """Return the name of a note, None when *key* is no note."""
    return key.removeprefix("meta.") if key.startswith("meta.") else None


def shown(key: Key) -> str:
    """Return *key* as people write it."""
    return input_name(key) or key


def is_absent(value: Json) -> bool:
    """Return whether *value* counts as not given: null, or an empty cell."""
    return value is None or (isinstance(value, Cell) and not value)


def fields_of(written: dict[str, Json]) -> tuple[dict[Key, Field], list[BadField]]:
    """Return the present values of *written* by key (the first of two), and what cannot be read."""
    fields: dict[Key, Field] = {}
    bad: list[BadField] = []
    for name, value in written.items():
        try:
            for key, field in _fields(name, value):
                if key in fields:
                    first = ".".join(fields[key].path)
                    raise BadField(f"given twice: as `{first}` and as `{'.'.join(field.path)}`", field.path)
                fields[key] = field
        except BadField as error:
            bad.append(error)
    return fields, bad


def _fields(name: str, value: Json) -> Iterator[tuple[Key, Field]]:
    if is_absent(value):
        return
    if name not in GROUPS:
        yield key_of(name), Field(value=value, path=(name,))
        return
    for inner, inner_value in _mapping(name, value).items():
        if not is_absent(inner_value):
            yield Key(f"{name}.{inner}"), Field(value=inner_value, path=(name, inner))


def _mapping(name: str, value: Json) -> dict[str, Json]:
    if isinstance(value, Cell):
        try:
            value = parse_json(value)
        except BadJson as error:
            raise BadField(f"{show(value)} is not a JSON mapping: {error}", (name,)) from None
    if not isinstance(value, dict):
        raise BadField(f"{show(value)} is not a mapping of names to values", (name,))
    return value
