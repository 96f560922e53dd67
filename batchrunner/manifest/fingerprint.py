"""Which jobs ask for the same?  Those with the same hash over model and inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

import orjson

from .._types import Inputs, Json
from ..models.texts import whole

ID_DIGITS: Final = 16  # 64 bits: two of a million jobs share an id with a chance of 1 in 37 million


ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)  # made once: json.dumps makes one each time


def fingerprint(model: str, inputs: Inputs) -> str:
    """Return the hex SHA-256 over the canonical JSON of *model* and *inputs*.

    Canonical: names sorted, ASCII with escapes (so that a lone surrogate cannot break it), 5.0 written as 5.
    The ledger keeps it, so the form never changes.
    """
    return fingerprint_of(model, inputs, canonical(inputs))


def fingerprint_of(model: str, inputs: Inputs, written: str) -> str:
    """Return the fingerprint where the canonical JSON of *inputs* is *written* already."""
    if ".0" in written:  # perhaps a whole float: the only thing that the fingerprint writes in another way
        written = canonical({name: _whole(value) for name, value in inputs.items()})
    (print_,) = fingerprints(model, [written])
    return print_


def fingerprints(model: str, written: Sequence[str]) -> list[str]:
    """Return the fingerprints of inputs, *written* as canonical JSON, none of which is a float."""
    before = f"[{_encoded(model)},"
    return [hashlib.sha256(f"{before}{one}]".encode("ascii")).hexdigest() for one in written]


def canonical(value: Inputs) -> str:
    """Return *value* as the one JSON text that is stored, compared and hashed.

    The standard library's encoder says what that is.  orjson writes the very same in a fifth of the time
    where there is nothing but ASCII, whole numbers within 64 bits, true, false and null.
    """
    if _are_simple(value.values()):
        try:
            written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # a number beyond 64 bits, half a character
            return ENCODER.encode(value)
        if written.isascii() and b"\x7f" not in written:  # ASCII too, and escaped by the standard library
            return written.decode("ascii")
    return ENCODER.encode(value)


def made_id(model: str, inputs: Inputs) -> str:
    """Return the id of a job that was given none."""
    return id_from(fingerprint(model, inputs))


def id_from(print_: str) -> str:
    """Return the id that a job with this fingerprint has where it was given none."""
    return print_[:ID_DIGITS]


SIMPLE: Final = frozenset({str, int, bool, type(None)})


def _are_simple(values: Collection[Json]) -> bool:
    """Return whether *values* are single ones and lists of them only, and no float (1e16 differs)."""
    kinds = {*map(type, values)}
    if list in kinds:
        kinds.remove(list)
        kinds.update(map(type, chain.from_iterable([value for value in values if isinstance(value, list)])))
    return kinds <= SIMPLE


@lru_cache(maxsize=64)
def _encoded(model: str) -> str:
    return ENCODER.encode(model)


def _whole(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return whole(value)
