"""What the package offers, and that it stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import batchrunner.simulator as simulator


def test_every_public_name_can_be_had():
    assert all(getattr(simulator, name) is not None for name in simulator.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = simulator.no_such_name


HEAVY = "av", "PIL", "httpx", "anyio"


def test_importing_the_simulator_loads_no_film_maker_no_http_and_no_event_loop():
    program = f"import sys, batchrunner.simulator; print([m for m in {HEAVY} if m in sys.modules])"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert loaded.stdout.strip() == "[]"
