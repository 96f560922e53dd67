"""A machine in a container, whose process 1 is systemd: all that is installed here, changed in memory only.

Root makes it, with systemd-nspawn; it shares the network, so that a service on this machine's loopback
answers there.  Its clock is this machine's, but its zone is its own: what happens at ten in the evening
happens when the test likes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

USER = "film"
HOME = Path("/home", USER)

IS_HERE = (
    sys.platform == "linux"
    and os.geteuid() == 0
    and all(map(shutil.which, ("systemd-nspawn", "nsenter", "zic", "/usr/bin/python3")))
)

_UNITS = Path("etc/systemd/system")

_TARGET = """[Unit]
Description=A machine with users, and nothing else of what is installed on it
Requires=sysinit.target dbus.socket systemd-logind.service systemd-user-sessions.service
After=sysinit.target dbus.socket systemd-logind.service systemd-user-sessions.service
AllowIsolate=yes
"""


def call(*command: object, **settings: object) -> None:
    subprocess.run([*map(str, command)], check=True, **settings)  # type: ignore[call-overload]


def said_by(*command: object) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False).stdout


def wait_until(holds: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Wait for something that other processes bring about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(0.2)


class Machine:
    """The machine while it is up."""

    def __init__(self, root: Path, process: subprocess.Popen[bytes]) -> None:
        self.root = root
        self._process = process

    @property
    def home(self) -> Path:
        """The user's home as it is seen from outside."""
        return self.root / HOME.relative_to("/")

    def _enter(self) -> list[str]:
        """Into all namespaces of its process 1, and nothing along of this machine's environment."""
        ours = said_by("pgrep", "--parent", self._process.pid, "--exact", "systemd").strip()
        into = ["nsenter", "--target", ours or "none", "--all"]
        return [*into, "env", "--ignore-environment", "PATH=/usr/bin:/usr/sbin"]

    def admin(self, *command: object) -> str:
        """Run a command as root and return what it says."""
        command = (*self._enter(), *command)
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def type(self, line: str) -> str:
        """Let the user type *line*, in a shell of theirs."""
        number = self.admin("id", "-u", USER).strip()
        return self.admin(
            "runuser", "--login", USER, "-c", f"export XDG_RUNTIME_DIR=/run/user/{number}; {line}"
        )

    def show(self, unit: str) -> dict[str, str]:
        """What the user's systemd knows of a unit."""
        return dict(line.split("=", 1) for line in self.type(f"systemctl --user show {unit}").splitlines())

    def is_up(self) -> bool:
        """Return whether it has booted."""
        command = [*self._enter(), "systemctl", "is-active", "--quiet", "machine.target"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def off(self) -> None:
        """Turn it off, as ``poweroff`` does."""
        self.admin("systemctl", "poweroff")
        wait_until(lambda: self._process.poll() is not None, "the machine goes off")

    def let_it_be(self, clock: str) -> None:
        """Move the machine to a zone where it is *clock* (HH:MM:SS) now."""
        there = datetime.combine(datetime.now(UTC), datetime.strptime(clock, "%H:%M:%S").time(), UTC)
        ahead = (there - datetime.now(UTC)).total_seconds() % 86_400
        behind = ahead > 43_200
        offset = f"{'-' if behind else ''}{timedelta(seconds=int(86_400 - ahead if behind else ahead))}"
        call("zic", "-d", self.root / "etc/zones", "-", input=f"Zone There {offset} - THERE\n", text=True)
        self.admin("ln", "--symbolic", "--force", "/etc/zones/There", "/etc/localtime.new")
        self.admin("mv", "/etc/localtime.new", "/etc/localtime")


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """What is on this machine, as the root of another; whatever that changes is kept in memory."""
    layers, root = folder / "layers", folder / "root"
    layers.mkdir()
    root.mkdir()
    with ExitStack() as undo:
        call("mount", "-t", "tmpfs", "tmpfs", layers)
        undo.callback(call, "umount", layers)
        (layers / "upper").mkdir()
        (layers / "work").mkdir()
        options = f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work"
        call("mount", "-t", "overlay", "overlay", "-o", options, root)
        undo.callback(call, "umount", root)
        (root / _UNITS / "machine.target").write_text(_TARGET)
        call("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", USER)
        yield root


@contextmanager
def booted(root: Path, log: Path) -> Iterator[Machine]:
    """The machine, from power on to power off."""
    nspawn = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no"]
    apart = ["--resolv-conf=off", "--timezone=off", f"--directory={root}", "--machine=film-machine"]
    with log.open("ab") as said, subprocess.Popen(
        [*nspawn, *apart, "--", "--unit=machine.target"], stdin=subprocess.DEVNULL, stdout=said, stderr=said
    ) as process:  # fmt: skip
        machine = Machine(root, process)
        try:
            wait_until(machine.is_up, "the machine boots")
            yield machine
        finally:
            process.terminate()  # which lets it shut down
