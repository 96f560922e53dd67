"""The units of examples/systemd and of the manual under a real systemd: fired at ten, stopped, killed.

Run by ``make systemd``, as root.  The units are used as they are; a machine and its user are made for them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, blocks

from .conftest import Service
from .machine import HOME, IS_HERE, USER, Machine, booted, disk, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (IS_HERE and os.environ.get("WITH_SYSTEMD")), reason="make systemd runs it"),
]

JOBS = 225
UNITS = ".config/systemd/user"
AT_THE_END = ("0", "inactive"), ("1", "failed")
"""The second where a kill left a doubt, which waits for the user."""

FIRED = "~/.local/share/systemd/timers/stamp-film.timer"
"""What tells systemd when a timer that is Persistent= fired last."""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path) as root:
        yield root


@pytest.fixture
def machine(root: Path, tmp_path: Path, wheels: Path, service: Service) -> Iterator[Machine]:
    """A machine whose user has the program, a real manifest, and a file with the token."""
    home = root / HOME.relative_to("/")
    shutil.copytree(wheels, home / "wheels")
    shutil.copy(ROOT / "manifests/dreambooth-live.yaml", home / "jobs.yaml")
    shutil.copy(ROOT / "manifests/dreambooth-live.csv", home)
    (home / UNITS).mkdir(parents=True)
    with booted(root, tmp_path / "console") as machine:
        machine.admin("chown", "--recursive", f"{USER}:", HOME)
        for line in (
            "/usr/bin/python3 -m venv ~/venv",
            "~/venv/bin/pip install --quiet --no-index --find-links ~/wheels batchrunner",
            "mkdir -p ~/.local/bin && ln -s ~/venv/bin/batchrunner ~/.local/bin/",
            "install -m 600 /dev/null ~/.config/batchrunner.env",
            f"echo RUNCOMFY_API_TOKEN=any >> {HOME}/.config/batchrunner.env",
            f"echo BATCHRUNNER_BASE_URL={service.url} >> {HOME}/.config/batchrunner.env",
            'loginctl enable-linger "$USER"',
        ):
            machine.type(line)
        yield machine


def ended(machine: Machine) -> tuple[str, str]:
    """How the service ended, and what systemd thinks of it."""
    over = ("inactive", "failed")
    wait_until(lambda: machine.show("film.service")["ActiveState"] in over, "the service ends", seconds=120)
    shown = machine.show("film.service")
    return shown["ExecMainStatus"], shown["ActiveState"]


def test_every_night_goes_on_with_the_batch_and_pays_for_nothing_twice(machine, service):
    for name in ("film.service", "film.timer"):
        shutil.copy(ROOT / "examples/systemd" / name, machine.home / UNITS)
    machine.let_it_be("21:59:50")

    machine.type("systemctl --user enable --now film.timer")
    assert machine.show("film.service")["ActiveState"] == "inactive"
    wait_until(lambda: service.accepted().total() > 40, "ten o'clock, and a minute's grace", seconds=120)
    fired = machine.show("film.timer")["LastTriggerUSec"]
    assert re.search(" 22:00:[0-5][0-9] ", fired), fired

    machine.type("systemctl --user stop film.service")
    assert ended(machine) == ("143", "inactive")

    machine.type(f"systemctl --user stop film.timer && touch --date yesterday {FIRED}")
    machine.type("systemctl --user start film.timer")  # as after a night in which the machine slept
    wait_until(lambda: service.accepted().total() > 80, "the night that was missed")
    machine.type("systemctl --user kill --signal KILL film.service")
    assert ended(machine) == ("9", "failed")

    machine.let_it_be("06:59:52")
    machine.type("systemctl --user start film.service")
    assert ended(machine) == ("75", "inactive")
    assert "stopped    --until has come" in machine.type("journalctl --user --unit film.service")
    assert 80 < service.accepted().total() < JOBS

    machine.let_it_be("23:00:00")
    machine.type("systemctl --user start film.service")
    assert ended(machine) in AT_THE_END
    assert_all_is_paid_for_once(machine, service)


def test_the_manuals_service_goes_on_after_a_crash_a_drain_and_a_reboot(machine, service, root, tmp_path):
    [unit] = [block.text for block in blocks(DOCS / "howto/schedule.md") if block.language == "ini"]
    (machine.home / UNITS / "film.service").write_text(unit)
    sooner = machine.home / UNITS / "film.service.d/sooner.conf"
    sooner.parent.mkdir()
    sooner.write_text("[Service]\nRestartSec=1\n")

    machine.type("systemctl --user enable --now film")
    for signal, jobs in (("KILL", 30), ("INT", 60)):
        wait_until(lambda jobs=jobs: service.accepted().total() > jobs, "it goes on")
        machine.type(f"systemctl --user kill --signal {signal} film")
    wait_until(lambda: service.accepted().total() > 90, "it goes on after a drain")
    assert machine.show("film.service")["NRestarts"] == "2"
    machine.off()

    with booted(root, tmp_path / "console again") as machine_again:
        wait_until(lambda: service.accepted().total() > 120, "it goes on after a reboot")
        machine_again.type("systemctl --user stop film")
        assert ended(machine_again) == ("143", "inactive")
        machine_again.type("systemctl --user start film")
        assert ended(machine_again) in AT_THE_END
        assert_all_is_paid_for_once(machine_again, service)


def assert_all_is_paid_for_once(machine: Machine, service: Service) -> None:
    accepted = service.accepted()
    assert accepted.total() == len(accepted)
    states = json.loads(machine.type("~/.local/bin/batchrunner status film --json"))["states"]
    assert states["succeeded"] + states["unknown"] == JOBS
    assert states["unknown"] <= 8  # what was on its way at the kill
    assert len(list((machine.home / "film/videos").glob("*.mp4"))) == states["succeeded"]
