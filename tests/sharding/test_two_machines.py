"""Two machines on one shard, as processes with host names of their own, and a lock that both were given."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from ..cli.acts import later
from ..cli.command import Batch, finish, wait_until

NAMES = [f"scene-{number:02d}" for number in range(6)]


def may_have_other_names() -> bool:
    """Return whether a process here may have a host name of its own: the system's affair, and root's."""
    unshare = shutil.which("unshare")
    return (
        sys.platform == "linux"
        and unshare is not None
        and subprocess.run([unshare, "--uts", "true"], capture_output=True, check=False).returncode == 0
    )


def start_on(host: str, batch: Batch) -> subprocess.Popen[str]:
    """Start the shard's run on a machine of that name."""
    run = [
        "run", batch.manifest, "-o", batch.folder, "--base-url", batch.fake.url, "--shard", "1/1",
        "--concurrency", 2, "--poll-interval", 0.2, "--http-timeout", 1, "--progress", "plain",
    ]  # fmt: skip
    script = f'hostname {host} && exec "$@"'
    return subprocess.Popen(
        ["unshare", "--uts", "sh", "-c", script, "sh", sys.executable, "-m", "batchrunner", *map(str, run)],
        env=batch.env(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not may_have_other_names(), reason="needs the right to a host name of one's own (root)")
def test_a_machine_that_was_cut_off_submits_nothing_after_another_has_taken_over(batch, fake):
    batch.write(*NAMES)
    fake.looks_until_done = 10_000  # the first is kept busy with its first two
    fake.always("film", later(0.3))
    shard = batch.folder / "shards/01-of-01"
    first = start_on("host-a", batch)
    try:
        wait_until(lambda: fake.posts() >= 2, "a submission")
        (shard / "batchrunner.lock").unlink()  # a file server that lost its locks grants this one again
        alive = finish(start_on("host-b", batch))

        first.send_signal(signal.SIGSTOP)  # cut off: it renews nothing and knows nothing
        sent_by_the_first = fake.posts()
        fake.looks_until_done = 1
        (shard / "batchrunner.lock").unlink()
        second = start_on("host-b", batch)
        wait_until(lambda: fake.posts() > sent_by_the_first, "the second to take over", patience_s=60)
        first.send_signal(signal.SIGCONT)
        woken, heir = finish(first), finish(second)
    finally:
        if first.poll() is None:
            os.kill(first.pid, signal.SIGKILL)
            first.communicate()

    assert (alive.code, "on host-a: its lease is renewed" in alive.err) == (73, True), alive
    assert "watched for 24 s" in heir.err
    assert (woken.code, "lease" in woken.err) == (75, True), woken
    assert heir.code in (0, 1), heir.err
    assert {text: n for text, n in fake.paid.items() if n > 1} == {}
    assert {text: fake.posts(text) for text in NAMES if fake.posts(text) > 1} == {}
    found = Counter(line["status"] for line in batch.live().values())
    assert found["succeeded"] >= len(NAMES) - 2  # those whose answers the first could not record are in doubt
    assert found["succeeded"] + found["unknown"] == len(NAMES)
    assert (found["unknown"] == 0) == (heir.code == 0)
