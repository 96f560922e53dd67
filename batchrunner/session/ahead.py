"""Code is loaded while somebody else is at work: the service, and not the person who waits.

The pool is loaded while the service says what jobs cost, what writes a run's files while it makes the first
films.  Not before: the first submission would wait for it.  Not later: somebody waits then, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import anyio

LOADED_AFTER_S: Final = 1.0
"""By then the first jobs are submitted; a run that is over sooner loads at its end what it needs."""


def load_beside(load: Callable[[], object]) -> None:
    """Load in a thread; nobody waits for it but who needs what it loads."""

    def quietly() -> None:
        with suppress(Exception):  # whatever goes wrong is met again, and told, where it is needed
            load()

    threading.Thread(target=quietly, name="loading", daemon=True).start()


async def load_later(load: Callable[[], object]) -> None:
    """Load in a thread once the first jobs are on their way."""
    await anyio.sleep(LOADED_AFTER_S)
    load_beside(load)
