"""The two kinds of power cut; what each leaves: power.py."""

from __future__ import annotations

from enum import StrEnum


class Cut(StrEnum):
    """What becomes of names that were not synced."""

    LAZY = "lazy"  # none of them lasted
    EAGER = "eager"  # all of them did, and only bytes are missing
