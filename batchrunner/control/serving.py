"""The run's ear: takes one command a connection, from the same user only, and never waits for a slow one."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import SocketAttribute, SocketStream

from .._types import Json
from ..pool import Context
from .acting import act
from .protocol import LONGEST_LINE, Status, read_command, write_line

PATIENCE_S: Final = 5.0
"""How long a client may take to say its line, and to hear the answer."""

CLIENTS: Final = 8
"""At once; a further one waits its turn."""


async def serve(context: Context, address: Path) -> None:
    """Listen at *address* until cancelled; the socket is gone afterwards.

    A run that cannot listen says so and goes on: it is not to fail for want of a remote control.
    """
    turns = anyio.CapacityLimiter(CLIENTS)

    async def handle(stream: SocketStream) -> None:
        async with turns, stream:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                await _answer(context, stream)

    try:
        async with await anyio.create_unix_listener(address, mode=0o600, backlog=16) as listener:
            await listener.serve(handle)
    except OSError as error:
        context.tell("warning", message=f"this run cannot be controlled: {error.strerror or error}")
    finally:
        with contextlib.suppress(OSError):
            os.unlink(address)  # noqa: PTH108 (one quick call, also on the way out)


async def _answer(context: Context, stream: SocketStream) -> None:
    pid, uid = peer_of(stream.extra(SocketAttribute.raw_socket))  # noqa: S610 (not Django's)
    if uid is not None and uid != os.getuid():
        return
    line = b""
    with anyio.move_on_after(PATIENCE_S):
        line = await _read_line(stream)
    if not line:
        return
    answer = await _done(context, line, pid)
    with anyio.move_on_after(PATIENCE_S):
        await stream.send(write_line(answer))


async def _done(context: Context, line: bytes, pid: int | None) -> dict[str, Json]:
    """Do what a line says and return what to answer."""
    try:
        command = read_command(line)
    except ValueError as error:
        return {"ok": False, "message": str(error)}
    if not isinstance(command, Status):
        context.tell("control", None, command=_shown(line), pid=pid)
    try:
        return {"ok": True, **await act(context, command)}
    except Exception as error:  # a command that fails is told; the paid run goes on
        logging.getLogger("batchrunner").exception("a command failed")
        return {"ok": False, "message": f"it did not work: {type(error).__name__}"}


async def _read_line(stream: SocketStream) -> bytes:
    """Read up to the end of a line; what is longer than any command is cut, and will be no command."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= LONGEST_LINE:
        try:
            line += await stream.receive(4096)
        except anyio.EndOfStream:
            break
    return line


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()[:200]


def peer_of(connection: socket.socket) -> tuple[int | None, int | None]:
    """Return process and user at the other end, as far as the system says."""
    if hasattr(socket, "SO_PEERCRED"):
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", credentials)
        return pid, uid
    if sys.platform == "darwin":
        xucred = connection.getsockopt(0, 1, 76)  # SOL_LOCAL, LOCAL_PEERCRED: a version, then the user
        return None, struct.unpack_from("I", xucred, 4)[0]
    return None, None  # the folder's mode keeps others out
