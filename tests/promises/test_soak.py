"""A short soak; the long one is ``make soak``."""

from __future__ import annotations

from pathlib import Path

from .nurseries import Nurseries
from .soak import soak


def test_ten_kills_at_random_instants_cost_nothing(nurseries: Nurseries, tmp_path: Path) -> None:
    tally = soak(nurseries, tmp_path, kills=10, seed=1)

    assert tally.kills >= 10
    assert (tally.accepted_twice, tally.lost, tally.complaints) == (0, 0, [])
