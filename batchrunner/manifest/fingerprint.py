"""Which jobs ask for the same?  Those with the same hash over model and inputs."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from .._types import Inputs, Json
from ..models.texts import whole

ID_DIGITS: Final = 16  # 64 bits: two of a million jobs share an id with a chance of 1 in 37 million


def fingerprint(model: str, inputs: Inputs) -> str:
    """Return the hex SHA-256 over the canonical JSON of *model* and *inputs*.

    Canonical: names sorted, ASCII with escapes (so that a lone surrogate cannot break it), 5.0 written as 5.
    The ledger keeps it, so the form never changes.
    """
    text = json.dumps(
        [model, _canonical(inputs)], sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def id_from(print_: str) -> str:
    """Return the id of a job that was given none."""
    return print_[:ID_DIGITS]


def _canonical(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _canonical(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    return whole(value)
