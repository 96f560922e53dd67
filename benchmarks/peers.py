"""The peers: how they get here, and which command makes each of them do the batch.

Python's come from PyPI into ``out/peers``, GNU parallel, curl and jq from Debian where this user may install
them.  What cannot be had is skipped with a word.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .processes import ROOT

PYTHON: Final = ROOT / "out" / "peers" / "bin" / "python"
PROGRAMS: Final = Path(__file__).parent / "programs"
TOOLS: Final = ("parallel", "curl", "jq")
LIBRARIES: Final = ("fal-client>=1.0,<1.1", "replicate>=1.0,<1.1")


class Absent(Exception):
    """A peer is not here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A client that people use for such batches."""

    name: str
    how: str
    program: str
    most: float
    """Our CPU time a job against its."""

    def command(self, address: str, manifest: Path, folder: Path, model: str, slots: int) -> list[str]:
        arguments = [address, str(manifest), str(folder), model, str(slots)]
        interpreter = "sh" if self.program.endswith(".sh") else str(PYTHON)
        return [interpreter, str(PROGRAMS / self.program), *arguments]


PEERS: Final = (
    Peer(name="GNU parallel, curl, jq", how="a look a second", program="with_curl.sh", most=0.06),
    Peer(name="fal-client", how="a look every 0.1 s, its default", program="with_fal_client.py", most=0.25),
    Peer(name="replicate", how="a look every 0.5 s, its default", program="with_replicate.py", most=0.6),
)


def require(peer: Peer) -> None:
    """See to it that *peer* can be run.  Raises Absent."""
    if peer.program.endswith(".sh"):
        _require_tools()
    else:
        _require_libraries()


def _require_tools() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _quietly(["apt-get", "update"])
        _quietly(["apt-get", "install", "--yes", "--no-install-recommends", *missing])
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise Absent(f"{', '.join(missing)} not installed")


def _require_libraries() -> None:
    done = PYTHON.parents[1] / "installed"
    if done.exists():
        return
    venv.create(PYTHON.parents[1], with_pip=True, clear=True)
    _quietly([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *LIBRARIES])
    done.touch()


def _quietly(command: Sequence[str]) -> None:
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    if ended.returncode != 0:
        words = ended.stderr.strip().splitlines() or ["no word"]
        raise Absent(f"`{command[0]} {command[1]}` failed: {words[-1][:100]}")
