"""A cluster of two hosts, each with a network and a name of its own; one of them dies in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from socket import create_server

import pytest

from batchrunner.folder.folder import Folder

from ..cli.acts import later
from ..cli.command import Batch, finish, start, wait_until
from ..cli.fake_service import FakeService

NAMES = [f"scene-{number:02d}" for number in range(16)]
MINE = os.getpid() % 10_000  # others may try this at the same time
BRIDGE = f"br-{MINE}"
HOSTS = (f"host-a-{MINE}", f"host-b-{MINE}")
NETWORK = f"10.231.{MINE % 250}"
GATEWAY = f"{NETWORK}.1"
ROOT = Path(__file__).parents[2]


def ip(*words: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *words], capture_output=True, check=check).returncode == 0


def may_have_networks() -> bool:
    """Return whether networks of one's own can be made here: on Linux, by root."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    made = ip("netns", "add", f"probe-{MINE}", check=False)
    ip("netns", "del", f"probe-{MINE}", check=False)
    return made and subprocess.run(["unshare", "--uts", "true"], check=False).returncode == 0


@contextmanager
def networks() -> Iterator[None]:
    """A network for each host, all on one bridge."""
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("addr", "add", f"{GATEWAY}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for number, host in enumerate(HOSTS, start=2):
            ip("netns", "add", host)
            ip("link", "add", f"v-{host}", "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", f"v-{host}", "master", BRIDGE, "up")
            for words in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up"),
                          ("addr", "add", f"{NETWORK}.{number}/24", "dev", "eth0")):  # fmt: skip
                ip("-n", host, *words)
        yield
    finally:
        for host in HOSTS:
            ip("netns", "del", host, check=False)
        ip("link", "del", BRIDGE, check=False)


class Machines:
    """Processes on the hosts, all of which are gone at the end."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, host: str | None, *arguments: object) -> None:
        """Start Python with *arguments* on a host; None is where the test runs."""
        command = [sys.executable, "-m", *map(str, arguments)]
        if host is not None:
            script = f'hostname {host} && exec "$@"'
            command = ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c", script, "sh", *command]
        self._started.append(
            subprocess.Popen(
                command, cwd=ROOT, env=self._batch.env(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def die(self, host: str) -> None:
        """Let everything on a host end at once."""
        listed = subprocess.run(["ip", "netns", "pids", host], capture_output=True, check=True).stdout
        for pid in listed.split():
            os.kill(int(pid), signal.SIGKILL)

    def close(self) -> None:
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def a_free_port() -> int:
    with closing(create_server((GATEWAY, 0))) as server:
        return int(server.getsockname()[1])


def owners(folder: Path) -> set[str]:
    """The hosts that own a shard at this moment."""
    return {owner.host for part in Folder(folder).shards() if (owner := part.owner()) is not None}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(not may_have_networks(), reason="needs networks of one's own (root, on Linux)")
def test_a_host_that_dies_is_waited_out_and_its_shard_goes_on_elsewhere(batch: Batch, fake: FakeService):
    batch.write(*NAMES)
    fake.always("film", later(0.2))
    with ExitStack() as stack:
        stack.enter_context(networks())
        machines = stack.enter_context(closing(Machines(batch)))
        ports = [fake.port, int(fake.films.rpartition(":")[2])]
        outside = [a_free_port() for _ in ports]
        scheduler = a_free_port()
        ways = [
            (f"{GATEWAY}:{there}", f"127.0.0.1:{here}") for here, there in zip(ports, outside, strict=True)
        ]
        machines.run(None, "tests.engine.forward", *(f"{there}={here}" for there, here in ways))
        machines.run(None, "distributed.cli.dask_scheduler", "--host", GATEWAY, "--port", scheduler,
                     "--no-dashboard")  # fmt: skip
        for host in HOSTS:
            machines.run(host, "tests.engine.forward", *(f"{here}={there}" for there, here in ways))
            machines.run(host, "distributed.cli.dask_worker", f"tcp://{GATEWAY}:{scheduler}", "--nthreads", 1,
                         "--no-dashboard", "--local-directory", batch.home / host)  # fmt: skip
        process = start(
            "run", batch.manifest, "-o", batch.folder, "--base-url", fake.url, "--engine", "dask",
            "--scheduler", f"tcp://{GATEWAY}:{scheduler}", "--workers", 2, "--shards", 4, "--http-timeout", 1,
            "--concurrency", 4, "--poll-interval", 0.1, "--progress", "none", env=batch.env(),
        )  # fmt: skip
        stack.callback(process.kill)
        wait_until(lambda: owners(batch.folder) == set(HOSTS), "both hosts to own a shard", patience_s=60)
        wait_until(lambda: len(fake.calls("film")) > 2, "some films")

        machines.die(HOSTS[0])
        outcome = finish(process)

    results = batch.live()
    in_doubt = {name for name, line in results.items() if line["status"] == "unknown"}
    assert outcome.code == (1 if in_doubt else 0), outcome
    assert {text: n for text, n in fake.paid.items() if n > 1} == {}
    assert {text: fake.posts(text) for text in NAMES if fake.posts(text) > 1} == {}
    assert {name for name, line in results.items() if line["status"] == "succeeded"} == {*NAMES} - in_doubt
    assert len(in_doubt) <= 2  # what the dead host may have had on the wire
    told = [(batch.folder / f"shards/0{n}-of-04/run.log").read_text() for n in (1, 2, 3, 4)]
    assert all('"summary"' in one for one in told)
