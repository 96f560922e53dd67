"""The command line called in this process: for what needs no process of its own, in a tenth of the time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchrunner.cli import run_main

from .command import FAST, TOKEN, Outcome

OURS = ("RUNCOMFY", "BATCHRUNNER", "COMFY_", "XDG_")


class Here:
    """A user's command line with a home of its own, whose words are caught."""

    def __init__(self, home: Path, address: str, caught: pytest.CaptureFixture[str]) -> None:
        self.manifest = home / "jobs.jsonl"
        self.folder = home / "out"
        self._address = ("--base-url", address)
        self._caught = caught

    def __call__(self, *arguments: object) -> Outcome:
        """Run any command to its end."""
        code = run_main(list(map(str, arguments)))
        out, err = self._caught.readouterr()
        assert "Traceback" not in err, err
        return Outcome(code=code, out=out, err=err)

    def run(self, *flags: object) -> Outcome:
        return self("run", self.manifest, "-o", self.folder, *self._address, *FAST, *flags)

    def plan(self, *flags: object) -> Outcome:
        return self("plan", self.manifest, "-o", self.folder, *self._address, *flags)


def settle_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Make the environment that of a user who has a token and none of ours set."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", TOKEN)
