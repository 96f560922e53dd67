"""``status`` says who is at work and what is next; ``--watch`` goes on until all is over."""

from __future__ import annotations

import json
import signal
from itertools import pairwise

from tests.progress.terminals import a_terminal

from .acts import status
from .command import PATIENCE_S, start, wait_until

FOR_EVER = 10**9


def test_it_names_the_run_that_is_at_work(batch, fake):
    batch.write("fox")
    fake.looks_until_done = FOR_EVER
    process = batch.start_run()
    wait_until(lambda: fake.calls("status"))

    during = batch.status()
    words = batch.call("status", batch.folder).out
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_S)
    after = batch.status()

    assert during["owner"]["pid"] == str(process.pid)
    assert f"process {process.pid} on" in words
    assert after["owner"] is None
    assert after["next"].startswith("nobody is at work, 1 open: ")
    assert "resume" in after["next"]


def test_looking_never_keeps_a_run_from_its_folder(batch, fake):
    batch.write("fox")
    batch.run("--submit-only")
    watching = start("status", batch.folder, "--watch", "--json", env=batch.env(), cwd=batch.home)

    outcome = batch.run()
    out, _ = watching.communicate(timeout=PATIENCE_S)
    seen = [json.loads(line) for line in out.splitlines()]

    assert outcome.code == 0
    assert watching.returncode == 0
    assert seen[-1]["owner"] is None
    assert seen[-1]["states"]["succeeded"] == 1
    assert all(before != after for before, after in pairwise(seen))


def test_watching_what_is_over_ends_at_once(batch, fake):
    batch.write("fox")
    batch.run()

    outcome = batch.call("status", batch.folder, "--watch")

    assert outcome.code == 0
    assert outcome.out == "1 succeeded · nobody is at work, nothing is open\n"


def test_on_a_terminal_it_stays_in_place(batch, fake):
    batch.write("fox", "owl")
    fake.always("status", status("in_progress"), text="owl")
    run = batch.start_run()
    wait_until(lambda: {seen.text for seen in fake.calls("status")} == {"fox", "owl"})

    with a_terminal(60) as terminal:
        watching = start("status", batch.folder, "--watch", env=batch.env(TERM="xterm"), cwd=batch.home,
                         stdout=terminal.slave)  # fmt: skip
        wait_until(lambda: any("1  succeeded" in line for line in terminal.seen()), "the view")
        lines = terminal.seen()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=PATIENCE_S)
    run.kill()

    assert [line.split()[:2] for line in lines[1:4]] == [
        ["2", "jobs"],
        ["1", "submitted"],
        ["1", "succeeded"],
    ]
