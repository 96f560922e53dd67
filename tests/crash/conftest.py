"""A fake service, a batch on it, and a process to be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.command import Batch
from ..cli.fake_service import FakeService
from .victim import Victim


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with FakeService() as service:
        yield service


@pytest.fixture
def batch(tmp_path: Path, fake: FakeService) -> Iterator[Batch]:
    one = Batch(home=tmp_path, fake=fake)
    yield one
    one.close()


@pytest.fixture
def victim() -> Victim:
    return Victim()
