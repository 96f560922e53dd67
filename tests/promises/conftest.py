"""The nurseries, shared by all tests of a session, and a batch on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lives import Batch
from .nurseries import Nurseries


@pytest.fixture(scope="session")
def nurseries() -> Iterator[Nurseries]:
    some = Nurseries()
    yield some
    some.close()


@pytest.fixture
def batch(nurseries: Nurseries, tmp_path: Path) -> Batch:
    return Batch(nurseries=nurseries, home=tmp_path / "home")
