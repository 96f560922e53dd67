"""A fake service, a batch on it, and commands in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.command import Batch
from ..cli.fake_service import FakeService
from ..cli.here import Here, settle_environment


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
    settle_environment(monkeypatch, batch.home)
    return Here(batch.home, fake.url, capsys)
