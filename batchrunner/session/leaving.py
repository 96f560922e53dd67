"""What a run leaves in its folder, written at its end: results, data set, and the page for people.

A signal that says "now" is not kept waiting by any of them; a full disk ends the run as it does elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from msgspec import Struct

from ..causes import Address
from ..errors import DiskTrouble
from ..files.disk import disk_errors_named, is_disk_error
from ..folder.folder import Folder
from ..folder.presence import look_at_folders, remember
from ..ledger import Store
from ..outputs.remembered import Before, GoOn, NewTally, keep, keep_tallies, look_back
from ..outputs.results import Interrupted, interruptible
from ..outputs.upkeep import write_lines, write_rows
from ..pool import Context
from ..service import base_url_to_name
from ..stopping import Phase

T = TypeVar("T")

MANY: Final = 100_000
"""Films whose page takes another process longer to write than to start."""


class Left(Struct):
    """Which files this run has written."""

    results: bool = False
    report: bool = False


async def leave_files(context: Context, store: Store, folder: Folder) -> Left:
    """Write the files, unless (or until) a signal says to stop now."""
    stopping, left = context.stopping, Left()

    def go_on() -> bool:
        return stopping.phase is not Phase.NOW or not stopping.interrupted

    def apart(work: Callable[[Store], T]) -> T:
        """Do some of the work with a reader of its own."""
        with closing(Store.read_only(folder.ledger)) as reader, interruptible(reader, go_on):
            return work(reader)

    def write() -> str | None:
        """Write them side by side: SQLite does most of the work, and needs no interpreter for it.

        Returns what the page for people stumbled over.
        """
        with interruptible(store, go_on):
            before = look_back(store)
            with ThreadPoolExecutor(3, thread_name_prefix="leaving") as beside:
                data_set = beside.submit(apart, lambda reader: write_rows(reader, folder.path, before, go_on))
                page = beside.submit(apart, lambda reader: _write_report(reader, folder, before, go_on))
                stamps = beside.submit(apart, lambda reader: look_at_folders(folder.path, reader, go_on))
                lines = write_lines(store, folder.path, before, go_on)
                rows = data_set.result()
            is_kept = keep(store, folder.path, before, lines, rows)
            left.results = True
            tallies, trouble = page.result()
            if is_kept:
                keep_tallies(store, tallies)
            left.report = trouble is None
            remember(store, stamps.result())
            return trouble

    try:
        with disk_errors_named():
            if context.client.simulated:  # it said so itself
                store.set_fact("simulated", "1")
            if go_on():
                trouble = await anyio.to_thread.run_sync(write)
                if trouble is not None:
                    context.tell("warning", message=trouble)
    except Interrupted:
        pass
    except DiskTrouble as error:
        stopping.fail(error)
    return left


def _write_report(
    store: Store, folder: Folder, before: Before, go_on: GoOn
) -> tuple[list[NewTally], str | None]:
    """Write the page; return the tallies to be kept and what it stumbled over.

    The results do not depend on it.
    """
    from ..outputs.report import NAME, write_report  # its template engine is needed at a run's end only
    from ..outputs.report.beside import write_beside
    from ..second_process import can_help

    address = Address(folder=folder.path, base_url=base_url_to_name(store))
    try:
        path, is_big = folder.path / NAME, store.has_saved_more_than(MANY) and can_help()
        tallies = write_beside(folder.ledger, path, address, go_on) if is_big else None
        if tallies is None:
            tallies = write_report(store, path, address, go_on, parts=before.parts)
    except Interrupted:
        raise
    except Exception as error:
        if is_disk_error(error) or not go_on():
            raise
        what = f"{type(error).__name__}: {error}"
        return [], f"{NAME} could not be written ({what}); all results are in place"
    return tallies, None
