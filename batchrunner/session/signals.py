"""Ctrl-C once drains, twice stops; SIGTERM and SIGHUP stop at once."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import anyio

from ..errors import BatchrunnerError, Exit
from ..stopping import Phase

if TYPE_CHECKING:
    from ..pool import Context

STOPS: Final = {signal.SIGTERM: Exit.TERMINATED, signal.SIGHUP: Exit.HUNG_UP}


async def listen(
    context: Context, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Turn signals into the run's stopping, for as long as this task lives."""
    with anyio.open_signal_receiver(signal.SIGINT, *STOPS) as signals:
        task_status.started()
        async for received in signals:
            heed(context, received)


def heed(context: Context, received: signal.Signals) -> None:
    """Stop the run as *received* asks for."""
    context.stopping.interrupted = True
    if received in STOPS:
        context.stopping.now(f"stopped by {received.name}", STOPS[received])
    elif context.stopping.phase is Phase.RUNNING:
        context.stopping.drain("stopped by Ctrl-C")
    else:
        context.stopping.now("stopped by a second Ctrl-C", Exit.INTERRUPTED)


async def until_signal(work: Callable[[], Awaitable[None]]) -> signal.Signals | None:
    """Do *work*, and return the signal that cut it off, if one did.  Raises what the work raises."""
    received: signal.Signals | None = None
    trouble: BatchrunnerError | None = None

    async def wait(*, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        nonlocal received
        with anyio.open_signal_receiver(signal.SIGINT, *STOPS) as signals:
            task_status.started()
            received = await anext(aiter(signals))
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        await tasks.start(wait)
        try:
            await work()
        except BatchrunnerError as error:
            trouble = error
        tasks.cancel_scope.cancel()
    if trouble is not None:
        raise trouble
    return received
