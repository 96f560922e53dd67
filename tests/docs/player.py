"""Plays the console blocks of a page in one shell, as a reader would, on the built-in simulator.

``python -m tests.docs.player`` plays every page of PLAYED and writes down what was said.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import environment
from tests.docs.pages import PLAYED, Block, Typed, blocks, typed

PORT = "8123"
"""The port that pages write; a free one is taken in its place."""

MARK = "\036"
PATIENCE_S = 30

CHANGING = [
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "(instant)"),
    (re.compile(r"\b\d[\d.]*(?: s| ms| m \d\d s| h \d\d m)\b"), "(time)"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "(request id)"),
    (re.compile(r"\s+"), " "),
]
"""What is another at every playing."""


def steady(lines: tuple[str, ...]) -> list[str]:
    """Return *lines* without what changes from one playing to the next."""
    found = []
    for line in lines:
        for pattern, word in CHANGING:
            line = pattern.sub(word, line)
        found.append(line.strip())
    return found


def play(page: Path, home: Path) -> Iterator[tuple[Block, list[Typed]]]:
    """Yield every console block of *page*, and what its commands say now."""
    port = _free_port()
    with _shell(home) as shell:
        for block in blocks(page):
            if block.title:
                (home / block.title).write_text(block.text, encoding="utf-8")
            elif block.language == "console":
                now = [_type(shell, one.command.replace(PORT, port), int(port)) for one in typed(block)]
                yield (
                    block,
                    [
                        Typed(
                            command=one.command,
                            said=tuple(line.replace(port, PORT).rstrip("\n") for line in said),
                        )
                        for one, said in zip(typed(block), now, strict=True)
                    ],
                )


@contextmanager
def _shell(home: Path) -> Iterator[subprocess.Popen[str]]:
    env = environment(
        home, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", COLUMNS="100", LC_ALL="C.UTF-8",
        TZ="UTC", NO_COLOR="1", BATCHRUNNER_PROGRESS="none",
    )  # fmt: skip
    del env["RUNCOMFY_API_TOKEN"]
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc"], env=env, cwd=home, text=True, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield shell
    finally:
        assert shell.stdin is not None
        shell.stdin.write("kill $(jobs -p) 2> /dev/null; exit\n")
        shell.communicate()


def _type(shell: subprocess.Popen[str], command: str, port: int) -> list[str]:
    assert shell.stdin is not None
    assert shell.stdout is not None
    stays = command.endswith("&")
    line = f"{command.removesuffix('&')} > /dev/null 2>&1 &" if stays else command
    shell.stdin.write(f"{{ {line}\n}} < /dev/null\nprintf '\\n{MARK}\\n'\n")
    shell.stdin.flush()
    said = list(iter(shell.stdout.readline, f"{MARK}\n"))
    if stays:
        _wait_until_it_listens(port)
    return said[:-1] if said[-1:] == ["\n"] else said


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def record(page: Path) -> None:
    """Play *page* and write what was said into it; what only differs in times and ids stays as it is."""
    lines = page.read_text("utf-8").splitlines()
    with tempfile.TemporaryDirectory() as home:
        played = list(play(page, Path(home)))
    for block, now in reversed(played):
        new: list[str] = []
        for before, one in zip(typed(block), now, strict=True):
            said = before.said if steady(before.said) == steady(one.said) else one.said
            new += [f"$ {one.command}", *said]
        lines[block.start + 1 : block.end] = new
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for one in PLAYED:
        record(one)
