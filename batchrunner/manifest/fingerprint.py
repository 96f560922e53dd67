"""Which jobs ask for the same?  Those with the same hash over model and inputs."""

from __future__ import annotations

import hashlib
import json
from typing import Final

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
    return hashlib.sha256(f"[{ENCODER.encode(model)},{written}]".encode("ascii")).hexdigest()


def canonical(value: Inputs) -> str:
    """Return *value* as the one JSON text that is stored, compared and hashed."""
    return ENCODER.encode(value)


def id_from(print_: str) -> str:
    """Return the id of a job that was given none."""
    return print_[:ID_DIGITS]


def _whole(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return whole(value)
