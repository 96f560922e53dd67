"""What writes a run's files is loaded while the service is at work.

Not before: the first submission would wait for it.  Not later: at the end of the run somebody waits for it.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Final

import anyio
import anyio.to_thread

LOADED_AFTER_S: Final = 1.0
"""By then the first jobs are submitted; a run that is over sooner loads at its end what it needs."""


async def load_ahead() -> None:
    """Load it.  Whatever goes wrong with that is met again, and told, when the files are written."""
    await anyio.sleep(LOADED_AFTER_S)
    with suppress(Exception):
        await anyio.to_thread.run_sync(_load, abandon_on_cancel=True)


def _load() -> None:
    from .outputs.report.template import load_template

    load_template()
    for name in ("batchrunner.leaving", "yaml"):  # yaml for the data-set card
        importlib.import_module(name)
