"""A job's life, from what the ledger knows of it to as far as this run can take it."""

from __future__ import annotations

from ..ledger import Entry
from ..lifecycle import State
from ..waiting import Slot
from .context import Context
from .saving import save
from .submission import Submitter
from .watching import watch


async def live(context: Context, submitter: Submitter, entry: Entry, slot: Slot) -> Entry:
    """Lead a job through its states; every step is durable before the next one relies on it.

    The slot is given back the moment the service is done with the job; fetching its files takes none.
    """
    known = entry.state is State.SUBMITTED
    with slot:
        if entry.state is State.PENDING:
            entry = await submitter.submit(entry)
        if entry.state is State.SUBMITTED and not context.settings.submit_only:
            with context.settling():
                entry = await watch(context, entry, slot, at_once=known)
    if entry.state is State.READY:
        entry = await save(context, entry)
    return entry
