"""The Indexed Job of examples/, its pods run by podman: installed, stopped, killed, started again, merged.

Run by ``make pods``, as root.  There is no control plane here: which pods it would make, and which exit codes
it would try again, is worked out from the Job as it is written.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT

from .conftest import Service
from .machine import wait_until
from .pods import IMAGE, IS_HERE, Podman, is_tried_again, pod, podman

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (IS_HERE and os.environ.get("WITH_PODS")), reason="make pods runs it"),
]

JOBS = 225
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "film"},
    "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
}


@pytest.fixture
def here(tmp_path: Path, wheels: Path, service: Service) -> Iterator[Podman]:
    with podman(tmp_path) as here:
        here.make_image(wheels, BATCHRUNNER_BASE_URL=service.url)
        yield here


def test_every_shard_goes_on_whatever_became_of_its_pod(here, service):
    [job] = yaml.safe_load_all((ROOT / "examples/kubernetes-indexed-job.yaml").read_text("utf-8"))
    here("secret", "create", "runcomfy", "-", typed='{"token": "YW55"}')  # podman 4 plays no secrets
    here.play(CLAIM)
    claim = Path(here("volume", "inspect", "film", "--format", "{{.Mountpoint}}").strip())
    shutil.copy(ROOT / "manifests/dreambooth-live.yaml", claim / "jobs.yaml")
    shutil.copy(ROOT / "manifests/dreambooth-live.csv", claim)
    grace = job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]

    def stop(name: str) -> None:
        here("stop", "--time", grace, f"{name}-shard")

    def ended(name: str) -> int:
        over = ("stopped", "exited")
        wait_until(lambda: here.state(f"{name}-shard")[0] in over, f"{name} ends", seconds=120)
        return here.state(f"{name}-shard")[1]

    here.play(*(pod(job, index, "first") for index in range(job["spec"]["completions"])))
    stop("film-0-first")  # while it installs
    wait_until(lambda: service.accepted().total() > 60, "the shards are at work")
    here("kill", "--signal", "KILL", "film-1-first-shard")
    stop("film-2-first")
    codes = {index: ended(f"film-{index}-first") for index in range(4)}
    assert codes.pop(0) in (143, 137)  # killed, where installing takes longer than the grace
    assert codes == {1: 137, 2: 143, 3: 0}
    assert service.accepted().total() < JOBS

    assert is_tried_again(job, 137)
    assert is_tried_again(job, 143)
    for index in range(3):
        here.play(pod(job, index, "second"))
    assert {ended(f"film-{index}-second") for index in range(3)} <= {0, 1}  # 1: the kill left a doubt

    accepted = service.accepted()
    assert accepted.total() == len(accepted)
    look = "pip install -q batchrunner; batchrunner merge /film/out >&2; batchrunner status /film/out --json"
    said = here("run", "--rm", "--network", "host", "--volume", "film:/film", IMAGE, "sh", "-c", look)
    states = json.loads(said)["states"]
    assert states["succeeded"] + states["unknown"] == JOBS
    assert states["unknown"] <= 16  # what one shard had on its way
    assert len(list((claim / "out/videos").glob("*.mp4"))) == states["succeeded"]
