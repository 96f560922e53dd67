"""Is this text one JSON value that means the same to everyone?

Stricter than the standard library: no repeated names, no NaN or Infinity, no number or nesting beyond bounds,
no half characters (lone surrogates, which cannot be sent as UTF-8).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Final, NoReturn

from .._types import Json
from ..models.texts import MAX_DIGITS

MAX_DEPTH: Final = 64  # real inputs nest two or three deep; the same bound holds for YAML


class BadJson(ValueError):
    """Text that is no acceptable JSON: the message says why."""


def parse_json(text: str) -> Json:
    """Return the value that *text* is.  Raises BadJson."""
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise BadJson(f"{_lowered(error.msg.removesuffix(' at'))} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadJson(TOO_DEEP) from None
    # the text tells cheaply whether a closer look can find anything
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise BadJson(TOO_DEEP)
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        _check_characters(value)
    return value


def _decoded(text: str) -> Json:
    """Decode *text*: first as if nothing stood around the value, which is quicker."""
    try:
        value: Json
        value, end = DECODER.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    return value if end == len(text) else DECODER.decode(text)


TOO_DEEP: Final = f"nested more than {MAX_DEPTH} deep"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise BadJson(f"the name {json.dumps(repeated)} stands twice in one object")
    return found


def _int(digits: str) -> int:
    return int(digits if len(digits) <= MAX_DIGITS else _bounded(digits))


def _float(digits: str) -> float:
    value = float(_bounded(digits))
    if not math.isfinite(value):
        raise BadJson(f"the number {digits[:40]} is beyond all bounds")
    return value


def _bounded(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise BadJson(f"a number of {len(digits):,} digits, at most {MAX_DIGITS} allowed")
    return digits


def _constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is no JSON value")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_constant
)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _is_deep(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return any(isinstance(value, list | dict) for value in level)


def _inside(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_characters(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise BadJson(f"half a character (\\u{code:04x} alone), which cannot be sent") from None
