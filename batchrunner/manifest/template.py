"""What does a default or a matrix value say for this row?

``{name}`` is filled from the row; ``{{`` and ``}}`` are braces.  Only defaults and the matrix are templates:
a row's own text is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from .._types import Json, Place
from ..models.wording import show
from .names import Key, key_of
from .rows import Cell, Untyped

LookUp: TypeAlias = Callable[[str], Json]

PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
LITERAL: Final = {"{{": "{", "}}": "}"}


class Shared(Struct, frozen=True, kw_only=True):
    """One value that a default or the matrix gives to many rows."""

    value: Json
    place: Place
    fillers: frozenset[Key] = frozenset()
    """What it is filled from; empty for a value that is the same for every row."""


class BadTemplate(ValueError):
    """A placeholder that cannot be filled: the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str | None = None, *, unfilled: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.unfilled = unfilled
        """The name that the row has no value for."""


def parse_shared(value: Json, place: Place) -> Shared:
    """Return the shared value that was written at *place*.  Raises BadTemplate for a lone brace."""
    fillers = _fillers(value)
    return Shared(value=value if fillers else fill(value, _no_look_up), place=place, fillers=fillers)


def _no_look_up(name: str) -> Json:
    raise AssertionError(f"{{{name}}} was not found before")


def _fillers(value: Json) -> frozenset[Key]:
    if isinstance(value, str):
        return frozenset(key_of(name) for name in _names(value))
    if isinstance(value, dict):
        value = list(value.values())
    return frozenset().union(*map(_fillers, value)) if isinstance(value, list) else frozenset()


def fill(value: Json, look_up: LookUp) -> Json:
    """Return *value* with its placeholders filled; text that is just one becomes the looked-up value itself.

    Filled text has no type of its own, like the cells it is made of.  Raises BadTemplate, as *look_up* may.
    """
    if isinstance(value, list):
        return [fill(item, look_up) for item in value]
    if isinstance(value, dict):
        return {name: fill(inner, look_up) for name, inner in value.items()}
    if not isinstance(value, str) or ("{" not in value and "}" not in value):
        return value
    whole = PIECE.fullmatch(value)
    if whole and whole[1] is not None:
        return look_up(whole[1])
    text = PIECE.sub(lambda piece: _filled(piece, look_up), value)
    if _names(value):
        return Cell(text)
    return type(value)(text) if isinstance(value, Untyped) else text


def _names(text: str) -> list[str]:
    names: list[str] = []
    for piece in PIECE.finditer(text):
        if piece[1] is not None:
            names.append(piece[1])
        elif piece[0] not in LITERAL:
            raise BadTemplate(
                f"a single {piece[0]} in {show(text)}", "write {{ and }} for braces that are meant as text"
            )
    return names


def _filled(piece: re.Match[str], look_up: LookUp) -> str:
    if piece[1] is None:
        return LITERAL[piece[0]]
    value = look_up(piece[1])
    if isinstance(value, list | dict):
        raise BadTemplate(f"{{{piece[1]}}} is a list or mapping and cannot stand inside text")
    return str(value) if isinstance(value, str) else show(value)
