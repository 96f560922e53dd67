"""Is this an id a person can use to talk about a job?

Anything readable is: making a file name of it is another room's work.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from .._types import Json
from ..models.wording import show

MAX_CHARACTERS: Final = 200
UNREADABLE: Final = frozenset(
    {"Cc", "Cs", "Zl", "Zp"}
)  # control characters, half characters, line separators


class BadId(ValueError):
    """A value that cannot be a job's id: the message says why."""


def parse_id(value: Json) -> str | None:
    """Return the id that *value* is, None for an absent one.  Raises BadId."""
    if type(value) is str:  # nearly all of them
        return check_id(value.strip())
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise BadId(f"{show(value)} is no id: an id is text or a whole number")
    return check_id(str(value).strip())


def parse_ids(cells: Sequence[str]) -> list[str]:
    """Return the ids in filled *cells*.  Raises BadId for one that is none."""
    ids = list(map(str.strip, cells))
    if "" not in ids and max(map(len, ids)) <= MAX_CHARACTERS and "".join(ids).isprintable():
        return ids
    return list(map(check_id, ids))


def check_id(text: str) -> str:
    """Return *text* when it can be an id.  Raises BadId."""
    if not text:
        raise BadId("an empty id")
    if len(text) > MAX_CHARACTERS:
        raise BadId(f"an id of {len(text):,} characters, at most {MAX_CHARACTERS} allowed")
    if not text.isprintable() and any(unicodedata.category(c) in UNREADABLE for c in text):
        raise BadId(f"the id {show(text)} holds a control character or a line break")
    return text
