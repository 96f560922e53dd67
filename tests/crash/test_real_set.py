"""VBench's 1,118 real prompts through real processes: undisturbed, and killed half-way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from ..cli.command import Batch, finish, simulating, wait_until

ROOT = Path(__file__).parents[2]
JOBS = 200


@pytest.fixture
def vbench(tmp_path: Path) -> Iterator[Batch]:
    """A batch of some of VBench's image-to-video prompts."""
    batch = Batch(home=tmp_path)
    made = subprocess.run(
        [sys.executable, ROOT / "manifests/make_vbench.py"], capture_output=True, check=True, timeout=60
    )
    batch.manifest.write_bytes(b"".join(made.stdout.splitlines(keepends=True)[:JOBS]))
    yield batch
    batch.close()


def books(address: str) -> list[dict[str, object]]:
    """Every submission the simulator has accepted."""
    with urllib.request.urlopen(f"{address}/_simulator/requests", timeout=20) as answer:
        accepted: list[dict[str, object]] = json.load(answer)["requests"]
    return accepted


def ledger_of(batch: Batch) -> dict[str, object]:
    """What a finished run leaves of each job, without its instants, ids and links."""
    return {
        name: (line["row"], line["status"], line["inputs"], line["attempts"],
               [(output["file"], output["sha256"]) for output in line["outputs"]])
        for name, line in batch.results().items()
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_half_way_and_run_again_it_ends_like_an_undisturbed_run(vbench):
    service = ("--slots", 64, "--service-time", 0.1)
    flags = ("--concurrency", 64, "--downloads", 16, "--poll-interval", 0.1)
    undisturbed = Batch(home=vbench.home / "undisturbed")
    undisturbed.home.mkdir()
    shutil.copy(vbench.manifest, undisturbed.manifest)
    with (
        simulating(undisturbed.home, *service) as other_address,
        simulating(vbench.home, *service, "--state", vbench.home / "service.sqlite") as address,
    ):
        beside = undisturbed.start_run("--base-url", other_address, *flags)
        process = vbench.start_run("--base-url", address, *flags)
        wait_until(lambda: _films(vbench) > JOBS // 2, "half of the films", patience_s=120)
        process.kill()
        process.communicate()
        _leave_the_wire(address)
        again = vbench.run("--base-url", address, *flags, "--on-unknown", "hold")
        accepted = books(address)
        smooth = finish(beside)

    texts = [json.dumps(request["inputs"], sort_keys=True) for request in accepted]
    held = [name for name, line in vbench.results().items() if line["status"] == "unknown"]
    smoothly, roughly = ledger_of(undisturbed), ledger_of(vbench)
    assert (smooth.code, again.code) == (0, 1 if held else 0)
    assert len(held) <= 16  # never more than were on the wire
    assert len(texts) == len(set(texts)) <= JOBS
    assert len(roughly) == JOBS
    assert {name: roughly[name] for name in roughly if name not in held} == {
        name: smoothly[name] for name in smoothly if name not in held
    }
    for path in (vbench.folder / "videos").iterdir():
        assert _frames(path) > 0


def _films(batch: Batch) -> int:
    folder = batch.folder / "videos"
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _leave_the_wire(address: str) -> None:
    """Give submissions of the killed process the time to be accepted."""
    before = -1
    while before != (before := len(books(address))):
        time.sleep(0.1)


def _frames(path: Path) -> int:
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))
