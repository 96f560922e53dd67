"""Is there room for one more film?  Submissions stop before the disk is full, not after it.

Pure; sizes in bytes.
"""

from __future__ import annotations

from typing import Final

USUAL_FILM: Final = 2 << 20
"""Reserved for a film while none has been seen: what a few seconds at 480p take."""

MARGIN: Final = 4 << 20
"""Left for the ledger, its log and the result files."""


def has_room(free_bytes: int, *, expected_films: int, largest_seen: int) -> bool:
    """Return whether all *expected_films* fit, each as large as the largest seen so far."""
    return free_bytes >= expected_films * (largest_seen or USUAL_FILM) + MARGIN
