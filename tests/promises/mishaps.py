"""What may befall an output folder while a run works in it, and how it is made good again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path


def fill_up(folder: Path) -> None:
    """Let somebody else take the last byte of the disk."""
    with _ballast(folder).open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def free_again(folder: Path) -> None:
    _ballast(folder).unlink()


def go_away(folder: Path) -> None:
    """Let the folder vanish, as an unplugged disk does."""
    folder.rename(_elsewhere(folder))


def come_back(folder: Path) -> None:
    _elsewhere(folder).rename(folder)


MISHAPS: dict[str, Callable[[Path], None]] = {"fills up": fill_up, "goes away": go_away}


def _ballast(folder: Path) -> Path:
    """A file of somebody else's on the same disk."""
    return folder.parent / "ballast"


def _elsewhere(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-unplugged")
