"""A ledger in memory and one on disk: every test that asks for `store` runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchrunner.ledger import Store


@pytest.fixture(params=["in memory", "on disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store.in_memory() if request.param == "in memory" else Store.open(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()
