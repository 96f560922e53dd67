"""How are values, limits and near misses worded in messages?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from .._types import Json

SHOWN: Final = 60  # characters of a value that a message repeats: enough to recognise it
LISTED: Final = 16  # allowed values that a message lists
COMPARED: Final = 100  # longer names are no typo of ours, and comparing them takes quadratic time

DIGITS: Final = re.compile(r"[0-9]+")

PASSWORD: Final = re.compile(r"://[^/?#\s]*@")  # user and password in an address: no message repeats them


def show(value: Json) -> str:
    """Return *value* as JSON, long ones shortened with ``…``, the password of an address left out."""
    if isinstance(value, str):
        value = PASSWORD.sub("://…@", value)
        quoted = json.dumps(value[:SHOWN], ensure_ascii=False)
        return quoted if len(value) <= SHOWN else f'{quoted[:-1]}…"'
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def bare(value: Json) -> str:
    """Return *value* the way a person types it into a cell: text without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def listed(values: Sequence[Json]) -> str:
    """Return the allowed *values* in words: ``480p, 720p``, or ``2 to 12`` for whole numbers in a row."""
    whole = [v for v in values if isinstance(v, int) and not isinstance(v, bool)]
    if len(whole) == len(values) > 2 and whole == list(range(whole[0], whole[0] + len(whole))):
        return f"{whole[0]} to {whole[-1]}"
    names = ", ".join(bare(v) for v in values[:LISTED])
    return names if len(values) <= LISTED else f"{names}, …"


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that the author most likely meant, None when none is near."""
    return _nearest(name, tuple(known), cutoff)


@lru_cache(maxsize=1_000)  # a column's name is looked up for each of its rows
def _nearest(name: str, known: tuple[str, ...], cutoff: float) -> str | None:
    from difflib import get_close_matches  # where nothing is misspelt nobody needs it

    by_fold = {k.casefold().replace("-", "_"): k for k in known}
    fold = name[:COMPARED].casefold().strip().replace("-", "_").replace(" ", "_")
    close = get_close_matches(fold, by_fold, n=1, cutoff=cutoff)
    return by_fold[close[0]] if close and len(name) <= COMPARED else None


def misspelt(path: str, known: Iterable[str]) -> str | None:
    """Return the known path with a slip in one of its parts; another version, or another kind, is no slip."""
    from difflib import SequenceMatcher

    if len(path) > COMPARED:
        return None
    parts = path.casefold().split("/")
    for one in known:
        others = one.casefold().split("/")
        differing = [(a, b) for a, b in zip(parts, others, strict=False) if a != b]
        if len(others) != len(parts) or len(differing) != 1:
            continue
        (part, other) = differing[0]
        is_near = SequenceMatcher(None, part, other).ratio() > 0.85
        if is_near and DIGITS.findall(part) == DIGITS.findall(other):
            return one
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the hint that names the nearest known name, None when none is near."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else None


def counted(number: int, thing: str) -> str:
    """Return ``1 item``, ``2 items``, ``12,000 items``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
