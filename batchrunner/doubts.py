"""The user's word on submissions in doubt: what is known of each, and what a person may decide.

A doubt is a submission whose answer was lost.  It may have been accepted and paid, so nothing but a
person's word moves it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct

from ._types import RequestId
from .answers import REQUEST_ID, Kind
from .errors import Usage
from .folder.folder import Folder
from .ledger import AlreadyOwned, Entry, Store
from .lifecycle import State
from .service import Service

WHERE_TO_LOOK = "https://www.runcomfy.com/ → Generations"
"""The service has no call that lists requests; its web page is the only place to find a lost one."""

COPY_IT = f"copy the id from {WHERE_TO_LOOK}"
LIST_THEM = "`batchrunner resolve DIR` lists the jobs in doubt"


class Doubt(Struct, frozen=True, kw_only=True):
    """One submission in doubt, with what is known of it."""

    id: str
    row: int
    sent_at: float
    message: str


def read_doubts(store: Store) -> list[Doubt]:
    """Return every doubt of the folder, in manifest order."""
    rows = store.connection.execute(
        "SELECT jobs.id, row, intent_at, jobs.error_message FROM jobs JOIN attempts a"
        " ON (a.job, a.generation, a.number) = (jobs.seq, jobs.generation, jobs.attempts)"
        " WHERE state IN (?, ?) ORDER BY position",
        (State.UNKNOWN, State.SUBMITTING),  # the latter after a crash, or for a moment while a run works
    )
    return [Doubt(id=r[0], row=r[1], sent_at=r[2], message=r[3] or "") for r in rows]


def choose(store: Store, ids: Sequence[str], *, all_of_them: bool) -> list[Entry]:
    """Return the doubts a person named.  Raises Usage for an id that is none."""
    if all_of_them:
        return list(store.entries(State.UNKNOWN))
    chosen = []
    for job_id in ids:
        entry = store.entry_of(job_id)
        if entry is None:
            raise Usage(f"there is no job {job_id!r} in this folder", hint=LIST_THEM)
        if entry.state is not State.UNKNOWN:
            raise Usage(
                f"{job_id!r} is {entry.state}, not in doubt: there is nothing to resolve", hint=LIST_THEM
            )
        chosen.append(entry)
    return chosen


async def check_request(folder: Folder, service: Service, request_id: str) -> None:
    """Raise Usage when the service says that it does not know the request; its silence says nothing."""
    if not REQUEST_ID.fullmatch(request_id):
        raise Usage(f"{request_id!r} does not have the form of a request id", hint=COPY_IT)
    async with service.connected(folder) as client:
        answer = await client.status(RequestId(request_id))
    if answer.kind in (Kind.GONE, Kind.FOREIGN):
        raise Usage(
            f"the service does not know the request {request_id!r}: {answer.message}",
            hint=COPY_IT,
        )


def check_unowned(folder: Folder, request_id: str) -> None:
    """Raise Usage when the request is that of a job in another shard, whose ledger `attach` does not see."""
    for part in folder.whole.parts():
        with closing(Store.read_only(part.ledger)) as store:
            if (owner := store.owner_of(RequestId(request_id))) is not None:
                raise _owned(request_id, owner)


def attach(store: Store, entries: Sequence[Entry], request_id: str) -> None:
    """Give the one doubt its request id.  Raises Usage when that cannot be its id."""
    if len(entries) != 1:
        raise Usage("--request-id belongs to exactly one job: name its id", hint=LIST_THEM)
    if not REQUEST_ID.fullmatch(request_id):
        raise Usage(f"{request_id!r} does not have the form of a request id", hint=COPY_IT)
    try:
        store.attach(entries[0].seq, RequestId(request_id), time.time())
    except AlreadyOwned as owner:
        raise _owned(request_id, str(owner)) from None


def _owned(request_id: str, owner: str) -> Usage:
    return Usage(f"request {request_id} belongs to the job {owner!r} already", hint=COPY_IT)


def not_accepted(store: Store, entries: Sequence[Entry]) -> None:
    """Let the doubts be submitted again by the next run: a person says they were not accepted."""
    for entry in entries:
        store.resubmit(entry.seq, fresh=True)


def give_up(store: Store, entries: Sequence[Entry]) -> None:
    """Leave the doubts for good."""
    for entry in entries:
        store.give_up(entry.seq, time.time())
