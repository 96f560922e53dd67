"""Terminals without a person: one in memory (a pseudo-terminal that pyte reads), and a real tmux."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyte


@dataclass(slots=True)
class Terminal:
    """A pseudo-terminal and what is to be seen on it."""

    width: int
    height: int
    written: bytes = b""
    master: int = field(init=False)
    slave: int = field(init=False)
    screen: pyte.Screen = field(init=False)
    _stream: pyte.ByteStream = field(init=False)

    def __post_init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.screen = pyte.Screen(self.width, self.height)
        self._stream = pyte.ByteStream(self.screen)
        self._tell_size()

    def resize(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.screen.resize(height, width)
        self._tell_size()

    def seen(self) -> list[str]:
        """Read what was written meanwhile and return the lines to be seen, down to the last one."""
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # nobody holds the other end any more
                break
            if not data:
                break
            self.written += data
            self._stream.feed(data)
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    def _tell_size(self) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0))


@contextmanager
def a_terminal(width: int, height: int = 24) -> Iterator[Terminal]:
    terminal = Terminal(width, height)
    try:
        yield terminal
    finally:
        os.close(terminal.master)
        os.close(terminal.slave)


@dataclass(slots=True)
class Tmux:
    """A tmux server of its own, with one window that runs one command."""

    socket: str

    def call(self, *arguments: str) -> str:
        command = ["tmux", "-S", self.socket, "-f", "/dev/null", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def resize(self, width: int, height: int) -> None:
        self.call("resize-window", "-x", str(width), "-y", str(height))

    def seen(self) -> list[str]:
        return self.call("capture-pane", "-p").rstrip().split("\n")
