"""Where does a run listen?  In a folder of the user's own with a short path: a socket's may have ~100 bytes.

The output folder may be deep, or on a file system without sockets.  So the socket stands elsewhere, under a
name nobody can guess, and the folder's lock file says where.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

LONGEST: Final = 100
"""Bytes of a socket's path: macOS allows 103, Linux 107."""

STARTING_S: Final = 60.0
"""A younger socket may belong to a run that is just about to listen."""

MOST_SWEPT: Final = 100


def choose_address(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return a new address, in a folder that only this user may enter; None where there is no such folder."""
    for folder in _candidates(environ):
        address = folder / f"{secrets.token_hex(8)}.sock"
        if len(os.fsencode(address)) <= LONGEST and _is_private(folder):
            _sweep(folder)
            return address
    return None


def _sweep(folder: Path) -> None:
    """Remove sockets at which nobody listens: those of runs that were killed."""
    for address in islice(folder.glob("*.sock"), MOST_SWEPT):
        with contextlib.suppress(OSError):
            old = time.time() - address.lstat().st_mtime > STARTING_S
            if old and not _is_heard(address):
                address.unlink()


def _is_heard(address: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(address))
        except ConnectionRefusedError:
            return False
    return True


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        yield Path(runtime) / "batchrunner"
    for temporary in dict.fromkeys([tempfile.gettempdir(), "/tmp"]):  # noqa: S108 (a folder of our own in it)
        yield Path(temporary) / f"batchrunner-{os.getuid()}"


def _is_private(folder: Path) -> bool:
    """Make *folder* where it is missing; return whether it is ours alone, and no link to somewhere else."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
