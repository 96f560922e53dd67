"""A batch in three shards, each a real process, killed and run again, merged, and run once more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from ..cli.command import Batch, finish, simulating, wait_until
from .test_real_set import ROOT, _leave_the_wire, books

JOBS = 60


@pytest.fixture
def vbench(tmp_path):
    """A batch of VBench's first image-to-video prompts."""
    batch = Batch(home=tmp_path)
    made = subprocess.run(
        [sys.executable, ROOT / "manifests/make_vbench.py"], capture_output=True, check=True, timeout=60
    )
    batch.manifest.write_bytes(b"".join(made.stdout.splitlines(keepends=True)[:JOBS]))
    yield batch
    batch.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_shards_killed_half_way_and_run_again_pay_for_each_job_once(vbench):
    flags = ("--concurrency", 48, "--downloads", 8, "--poll-interval", 0.1)
    with simulating(vbench.home, "--slots", 48, "--service-time", 0.1) as address:
        shards = [vbench.start_run("--base-url", address, *flags, "--shard", f"{n}/3") for n in (1, 2, 3)]
        wait_until(lambda: _films(vbench) > JOBS // 3, "a third of the films")
        for process in shards:
            process.kill()
            process.communicate()
        _leave_the_wire(address)
        again = [vbench.start_run("--base-url", address, *flags, "--shard", f"{n}/3") for n in (1, 2, 3)]
        codes = {finish(process).code for process in again}
        in_doubt = vbench.states_now.get("unknown", 0)
        merged = vbench.call("merge", vbench.folder)
        whole = vbench.run("--base-url", address, "--concurrency", 48)
        accepted = books(address)

    assert codes <= {0, 1}
    assert (merged.code, whole.code) == (0, 1 if in_doubt else 0)
    assert in_doubt <= 48  # never more than may have been on the wire
    paid = Counter(json.dumps(request["inputs"], sort_keys=True) for request in accepted)
    assert set(paid.values()) == {1}
    assert JOBS - in_doubt <= len(paid) <= JOBS
    found = Counter(line["status"] for line in vbench.results().values())
    assert found == Counter({"succeeded": JOBS - in_doubt} | ({"unknown": in_doubt} if in_doubt else {}))
    assert len(list((vbench.folder / "videos").iterdir())) == JOBS - in_doubt


def _films(batch: Batch) -> int:
    return len(list(batch.folder.glob("shards/*/videos/*")))
