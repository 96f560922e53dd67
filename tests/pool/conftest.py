"""Every test of the pool runs on a virtual clock: an hour of polling takes a moment."""

from __future__ import annotations

import pytest
from trio.testing import MockClock


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}
