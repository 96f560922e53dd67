"""The fake service and a batch that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .command import Batch
from .fake_service import FakeService
from .here import Here, settle_environment


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
def here(
    batch: Batch, fake: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    """Commands in this process on *batch*'s manifest and folder."""
    settle_environment(monkeypatch, batch.home)
    return Here(batch.home, fake.url, capsys)
