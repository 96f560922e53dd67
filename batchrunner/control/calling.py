"""To say something to the run that owns a folder, and hear its answer."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from .._types import Json
from ..errors import BatchrunnerError, FolderUnusable, ManifestMissing, Usage
from ..folder.folder import Folder
from .protocol import LONGEST_LINE, Cancel, Command, read_line, write_command

ANSWERS_S: Final = 10.0

CANCELS_S: Final = 120.0
"""Cancelling asks the service, which may take its time."""


def ask_run(folder: Folder, command: Command) -> dict[str, Json]:
    """Give *command* to the folder's run and return its answer.

    Raises ManifestMissing when there is no run, FolderUnusable when it takes no commands or does not
    answer, and Usage when it does not take this one.
    """
    folder.require_ledger()
    owner = folder.owner()
    if owner is None:
        raise ManifestMissing(
            f"no run is on in {folder.path}", hint=f"start one: batchrunner resume {folder.path}"
        )
    if owner.control is None:
        raise FolderUnusable(
            f"process {owner.pid} on {owner.host} owns {folder.path} and takes no commands",
            hint="ask again in a moment, and on its own machine; Ctrl-C stops it where it runs",
        )
    try:
        answer = read_line(_exchange(owner.control, command))
    except TimeoutError:
        raise _silent(folder, owner.pid, "does not answer") from None
    except PermissionError:
        raise _silent(folder, owner.pid, "belongs to another user") from None
    except (OSError, ValueError) as error:
        raise _silent(folder, owner.pid, f"cannot be reached: {error}") from None
    if answer.pop("ok", False) is not True:
        reason = answer.get("message") or "it gave no reason"
        raise Usage(f"the run refused: {reason}", hint="it goes on as before")
    return answer


def _silent(folder: Folder, pid: object, why: str) -> BatchrunnerError:
    return FolderUnusable(
        f"the run in {folder.path} (process {pid}) {why}",
        hint="it may be starting or ending this very moment: try again, where it runs, as the same user",
    )


def _exchange(address: str, command: Command) -> bytes:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(ANSWERS_S)
        connection.connect(address)
        connection.sendall(write_command(command))
        connection.settimeout(CANCELS_S if isinstance(command, Cancel) else ANSWERS_S)
        answer = b""
        while not answer.endswith(b"\n") and len(answer) <= LONGEST_LINE:
            data = connection.recv(65536)
            if not data:
                break
            answer += data
        return answer
