"""Ctrl-C once drains, twice stops; SIGTERM and SIGHUP stop at once."""

from __future__ import annotations

import signal
from typing import Final

import anyio

from .errors import Exit
from .pool import Context
from .stopping import Phase

STOPS: Final = {signal.SIGTERM: Exit.TERMINATED, signal.SIGHUP: Exit.HUNG_UP}


async def listen(
    context: Context, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Turn signals into the run's stopping, for as long as this task lives."""
    with anyio.open_signal_receiver(signal.SIGINT, *STOPS) as signals:
        task_status.started()
        async for received in signals:
            context.stopping.interrupted = True
            if received in STOPS:
                context.stopping.now(f"stopped by {received.name}", STOPS[received])
            elif context.stopping.phase is Phase.RUNNING:
                context.stopping.drain("stopped by Ctrl-C")
            else:
                context.stopping.now("stopped by a second Ctrl-C", Exit.INTERRUPTED)
