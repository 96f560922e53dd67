"""What an example needs around it: a service to talk to, and this very version to be installed."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """``batchrunner simulate`` on this machine."""

    url: str

    def accepted(self) -> Counter[str]:
        """How often each prompt was accepted with each set of pictures, and so paid."""
        with urllib.request.urlopen(f"{self.url}/_simulator/requests") as answer:
            requests = json.load(answer)["requests"]
        return Counter(json.dumps(request["inputs"], sort_keys=True) for request in requests)


@pytest.fixture
def service() -> Iterator[Service]:
    command = [sys.executable, "-m", "batchrunner", "simulate", "--films", "tiny"]
    timing = ["--slots", "64", "--service-time", "2s"]
    with subprocess.Popen([*command, *timing], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Service(url=process.stdout.readline().strip())
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This version and all that it needs, as ``pip install --no-index --find-links`` takes it."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--wheel-dir", folder, ROOT], check=True)
    return folder
