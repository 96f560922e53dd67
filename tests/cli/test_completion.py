"""The Tab key, pressed in the shells themselves."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .command import environment

PROGRAM = Path(sys.executable).with_name("batchrunner")
TAB, START_OF_LINE = "\t", "\x01"

SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], 'eval "$(batchrunner completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'bindkey -e; autoload -Uz compinit; compinit -u -D; eval "$(batchrunner completion zsh)"',
    ),
}
"""How a shell is started, and what its start-up file says."""

LINES = [
    ("batchrunner compl", "batchrunner completion"),
    ("batchrunner run jobs.csv --on-u", "batchrunner run jobs.csv --on-unknown"),
    ("batchrunner results film --state succ", "batchrunner results film --state succeeded"),
]

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not installed beside Python")


def variables(home: Path) -> dict[str, str]:
    return environment(home, PATH=f"{PROGRAM.parent}:{os.environ['PATH']}", TERM="dumb", PS1="> ")


def screen(arguments: list[str], typed: str, home: Path) -> list[str]:
    """Type into a shell on a terminal of its own; return the lines it shows until it ends."""
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, cwd=home, env=variables(home),
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b""
    try:
        while more := os.read(ours, 65_536):
            seen += more
    except OSError:
        pass  # how a terminal says on Linux that nobody is there any more
    os.close(ours)
    shell.wait()
    return seen.decode("utf-8", "replace").replace("\r", "\n").split("\n")


@pytest.mark.parametrize("name", SHELLS)
def test_tab_ends_what_was_begun(name, tmp_path):
    if shutil.which(name) is None:
        pytest.skip(f"no {name} here")
    arguments, set_up = SHELLS[name]
    shown = "".join(f"{begun}{TAB}{START_OF_LINE}echo : \n" for begun, _ in LINES)

    lines = {line.strip() for line in screen(arguments, f"{set_up}\n{shown}exit\n", tmp_path)}

    assert {f": {whole}" for _, whole in LINES} <= lines


@pytest.mark.parametrize(("begun", "whole"), LINES)
def test_fish_offers_the_end_of_what_was_begun(begun, whole, tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("no fish here")
    done = subprocess.run(
        ["fish", "-c", f'batchrunner completion fish | source; complete --do-complete "{begun}"'],
        cwd=tmp_path, env=variables(tmp_path), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == {whole.split()[-1]}
