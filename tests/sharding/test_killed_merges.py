"""A merge that was killed, at any point: one truth at a time, and the same command finishes it."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from batchrunner.folder.folder import Folder
from batchrunner.folder.verification import verify
from batchrunner.lifecycle import State
from batchrunner.sharding import Shard

from .conftest import fill

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_merge_killed_at_any_point_is_finished_by_the_next(tmp_path):
    wanted = {f"job-{n}": State.SUCCEEDED if n < 4 else State.SUBMITTING for n in range(6)}
    given = Folder(tmp_path / "given")
    for index in (1, 2):
        fill(given, Shard(index, 2), wanted)

    command = [sys.executable, "-m", "tests.sharding.mortal", given.path]
    mortal = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=100)

    assert mortal.returncode == 0, mortal.stderr.decode()
    runnable = json.loads(mortal.stdout)
    assert len(runnable) > 20
    assert [word for word, _ in groupby(runnable)] == ["shards", "neither"]  # in this order, never both
    expected = (tmp_path / "undisturbed/results.jsonl").read_text()
    assert len(expected.splitlines()) == len(wanted)
    for n in range(1, len(runnable) + 1):
        merged = Folder(tmp_path / f"killed-{n}")
        assert (merged.path / "results.jsonl").read_text() == expected
        found = verify(merged)
        assert (found.files, found.flaws, found.strays) == (4, [], [])
        assert not (merged.path / "shards").exists()
