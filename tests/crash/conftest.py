"""A fake service, a batch on it, and the means to kill its process at the right moment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.command import Batch
from ..cli.fake_service import Act, Exchange, FakeService


class Victim:
    """The process to be killed, once it is known, and the acts of a service that kill it."""

    process: subprocess.Popen[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def dies_before(self, act: Act) -> Act:
        """Kill it when its request has arrived; *act* then finds nobody."""

        def killing(exchange: Exchange) -> None:
            self.kill()
            act(exchange)

        return killing

    def dies_after(self, act: Act) -> Act:
        """Do *act*, then kill it: it may or may not have read the answer."""

        def killing(exchange: Exchange) -> None:
            act(exchange)
            self.kill()

        return killing


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with FakeService() as service:
        yield service


@pytest.fixture
def batch(tmp_path: Path, fake: FakeService) -> Batch:
    return Batch(home=tmp_path, fake=fake)


@pytest.fixture
def victim() -> Victim:
    return Victim()
