"""What is needed later is loaded while the service is at work.

The pool is loaded while the service says what jobs cost, what writes a run's files while it makes the first
films.  Not before: the first submission would wait for it.  Not later: somebody waits then, too.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
import anyio.to_thread

LOADED_AFTER_S: Final = 1.0
"""By then the first jobs are submitted; a run that is over sooner loads at its end what it needs."""


OF_ANYIO: Final = ("create_unix_listener", "create_memory_object_stream")
"""What it loads when it is first asked for, and a run asks for before it submits anything."""


@asynccontextmanager
async def load_running() -> AsyncIterator[None]:
    """Load, beside the block, what goes on with a prepared ledger. The block ends when it ends."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_load_beside, _load_running)
        yield
        tasks.cancel_scope.cancel()


async def load_ahead() -> None:
    """Load it.  Whatever goes wrong with that is met again, and told, when the files are written."""
    await anyio.sleep(LOADED_AFTER_S)
    await _load_beside(_load_leaving)


async def _load_beside(load: Callable[[], object]) -> None:
    with suppress(Exception):
        await anyio.to_thread.run_sync(load, abandon_on_cancel=True)


def _load_running() -> None:
    importlib.import_module("batchrunner.running")
    for name in OF_ANYIO:
        getattr(anyio, name)


def _load_leaving() -> None:
    from .outputs.report.template import load_template

    load_template()
    for name in ("batchrunner.leaving", "yaml"):  # yaml for the data-set card
        importlib.import_module(name)
