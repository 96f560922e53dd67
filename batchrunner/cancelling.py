"""``cancel DIR``: cancel what was never sent and what the service has not begun; report the rest."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase

from msgspec import Struct, field

from ._types import JobError, RequestId
from .client import Client
from .errors import ErrorCode
from .folder.folder import Folder
from .folder.ownership import owned
from .ledger import Entry, Store
from .lifecycle import State
from .plan import recover
from .pool import Cancelled, cancel_request
from .service import Service, check_origin

BY_USER = JobError(code=ErrorCode.CANCELLED_REMOTELY, message="cancelled by the user while it was queued")


class Cancellation(Struct, kw_only=True):
    """What became of a wish to cancel, by job id."""

    never_sent: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    runs_on: list[str] = field(default_factory=list)
    """Begun already: they finish, are billed, and can be collected."""
    failed: list[str] = field(default_factory=list)
    """The service gave no clear answer: they are as they were."""

    def add(self, other: Cancellation) -> None:
        self.never_sent += other.never_sent
        self.cancelled += other.cancelled
        self.runs_on += other.runs_on
        self.failed += other.failed


async def cancel_parts(folder: Folder, service: Service, patterns: Sequence[str]) -> Cancellation:
    """Do what `cancel_folder` does; in every shard of a folder that is in shards, or in none of them.

    Raises ManifestMissing without a ledger, and FolderUnusable when somebody is at work.
    """
    for part in folder.parts():
        part.require_ledger()
        part.check_not_owned()
    found = Cancellation()
    for part in folder.parts():
        found.add(await cancel_folder(part, service, patterns))
    return found


async def cancel_folder(folder: Folder, service: Service, patterns: Sequence[str]) -> Cancellation:
    """Cancel the folder's open jobs whose ids match a pattern (all without one)."""
    found = Cancellation()
    with owned(folder) as store:
        check_origin(store, service)
        with store.transaction():
            recover(store)
            for entry in _chosen(store, State.PENDING, patterns):
                store.cancel(entry.seq, time.time())
                found.never_sent.append(entry.id)
        submitted = _chosen(store, State.SUBMITTED, patterns)
        if submitted:
            async with service.connected(folder) as client:
                for entry in submitted:
                    await _cancel_one(store, client, entry, found)
    return found


def _chosen(store: Store, state: State, patterns: Sequence[str]) -> list[Entry]:
    entries = list(store.entries(state))
    return [e for e in entries if not patterns or any(fnmatchcase(e.id, pattern) for pattern in patterns)]


async def _cancel_one(store: Store, client: Client, entry: Entry, found: Cancellation) -> None:
    match await cancel_request(client, RequestId(entry.request_id or ""), random.random()):
        case Cancelled.CONFIRMED:
            with store.transaction():
                store.cancelled_there(entry.seq, BY_USER, time.time())
            found.cancelled.append(entry.id)
        case Cancelled.RUNS_ON:
            found.runs_on.append(entry.id)
        case Cancelled.FAILED:
            found.failed.append(entry.id)
