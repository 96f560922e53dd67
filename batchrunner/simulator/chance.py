"""What would chance have it?  Draws that depend on nothing but what they are drawn from.

A hash instead of a generator: the order of submissions then does not matter, and neither does a restart.
"""

from __future__ import annotations

import hashlib
import json
import math
from statistics import NormalDist
from uuid import UUID

from .._types import Json


def digest(*facts: Json) -> bytes:
    """32 bytes that only *facts* decide."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def uniform(*facts: Json) -> float:
    """A number above 0 and below 1."""
    return (int.from_bytes(digest(*facts)[:6]) + 0.5) / 2**48


def lognormal(median: float, sigma: float, *facts: Json) -> float:
    """A number around *median*; *sigma* is the standard deviation of its logarithm."""
    return median if sigma == 0 else median * math.exp(sigma * NormalDist().inv_cdf(uniform(*facts)))


def uuid(*facts: Json) -> str:
    """An id in the form the service gives."""
    return str(UUID(bytes=digest(*facts)[:16], version=4))
