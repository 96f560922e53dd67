"""On how many examples is a law tried?  A share of the profile's, by what one example costs.

So few that the whole suite is done in minutes, and twenty times as many with ``make property``.
"""

from __future__ import annotations

from hypothesis import settings


def tried(share: float) -> settings:
    """Settings of a law that is tried on *share* times as many examples as the profile has."""
    profile = settings()
    return settings(profile, max_examples=max(1, round(share * profile.max_examples)))
