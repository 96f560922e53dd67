"""Pods without a cluster: podman runs them, and what a Job's controller does with its template is done here.

Root has them; the network is this machine's, so that a service on its loopback answers.  All storage is below
a folder of the test's own, all mounts in a namespace of their own.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROGRAMS = ("podman", "debootstrap", "unshare", "nsenter")

IS_HERE = sys.platform == "linux" and os.geteuid() == 0 and all(map(shutil.which, PROGRAMS))

IMAGE = "docker.io/library/python:3.12-slim"

INDEX = "batch.kubernetes.io/job-completion-index"

_STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""

_CONTAINERS = """[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
tmp_dir = "{folder}/tmp"
"""
"""No limit above what this process has: raising one takes a right that not every root has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Podman:
    """podman with storage of its own."""

    folder: Path
    namespace: int
    """The process whose mounts it sees."""

    def __call__(self, *arguments: object, typed: str | None = None) -> str:
        """Run a command of podman's and return what it says."""
        enter = ["nsenter", "--mount", "--target", str(self.namespace), "podman"]
        places = {
            "CONTAINERS_STORAGE_CONF": f"{self.folder}/storage.conf",
            "CONTAINERS_CONF": f"{self.folder}/containers.conf",
        }
        done = subprocess.run(
            [*enter, *map(str, arguments)],
            input=typed, capture_output=True, text=True, env={**os.environ, **places}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def make_image(self, wheels: Path, **environment: str) -> None:
        """Make a small Debian with its Python, under the name of the image that the Job asks for.

        Its pip finds *wheels* and nothing else.
        """
        root = self.folder / "debian"
        packages = "--include=python3,python3-pip,ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", packages, "bookworm", root], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        shutil.copytree(wheels, root / "wheels")
        (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink()
        subprocess.run(["tar", "-C", root, "-cf", self.folder / "debian.tar", "."], check=True)
        path = "/usr/local/bin:/usr/bin:/bin"
        known = {"PATH": path, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", **environment}
        changes = [f"--change=ENV {name}={value}" for name, value in known.items()]
        self("import", *changes, self.folder / "debian.tar", IMAGE)

    def state(self, container: str) -> tuple[str, int]:
        """How a container is, and its exit code once it has one."""
        words = self("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", container).split()
        return words[0], int(words[1])

    def play(self, *documents: dict[str, Any]) -> None:
        """Let begin what *documents* describe, as ``kubectl apply`` would."""
        self("kube", "play", "--network", "host", "-", typed=yaml.safe_dump_all(documents))


@contextmanager
def podman(folder: Path) -> Iterator[Podman]:
    """Podman for a while; whatever runs in the end is removed."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
    (folder / "containers.conf").write_text(_CONTAINERS.format(folder=folder, files=files))
    # crun takes either kind of control groups, and not both at once
    apart = "umount /sys/fs/cgroup/unified 2>/dev/null; echo; exec sleep infinity"
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", apart], stdout=subprocess.PIPE) as namespace:
        try:
            assert namespace.stdout is not None
            namespace.stdout.readline()
            podman = Podman(folder=folder, namespace=namespace.pid)
            yield podman
            podman("pod", "rm", "--all", "--force")
            podman("system", "reset", "--force")
        finally:
            namespace.terminate()


def pod(job: dict[str, Any], index: int, tail: str) -> dict[str, Any]:
    """The pod that the controller of an Indexed Job makes of its template for *index*."""
    template = job["spec"]["template"]
    [container] = template["spec"]["containers"]
    name = job["metadata"]["name"]
    told = {"name": "JOB_COMPLETION_INDEX", "value": str(index)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-{index}-{tail}", "annotations": {INDEX: str(index)}},
        "spec": {
            **template["spec"],
            "hostname": f"{name}-{index}",
            "containers": [{**container, "env": [*container["env"], told]}],
        },
    }


def is_tried_again(job: dict[str, Any], exit_code: int) -> bool:
    """What the Job's rules say of a pod that ended so, while its index has tries left."""
    ending = [rule for rule in job["spec"]["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    return not any(exit_code in rule["onExitCodes"]["values"] for rule in ending)
