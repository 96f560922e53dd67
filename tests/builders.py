"""Values that many tests need, with everything that does not matter to them filled in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from batchrunner._types import Job, JobError, JobId, Json, Output, Place, RequestId
from batchrunner.errors import ErrorCode
from batchrunner.ledger import Entry, Store
from batchrunner.lifecycle import State
from batchrunner.manifest.fingerprint import made_id
from batchrunner.plan import Plan, load_jobs, prepare
from batchrunner.settings import Rerun, Settings

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
MANIFEST = "jobs.csv"


def a_job(
    id: str | None = "fox",  # noqa: A002 (the word the manifest uses)
    *,
    row: int = 2,
    file: str = MANIFEST,
    model: str = MODEL,
    meta: dict[str, Json] | None = None,
    **inputs: Json,
) -> Job:
    """A job whose prompt is its id, unless *inputs* hold a `text`; with None the id is made from them."""
    given: dict[str, Json] = {"text": id or "nameless", **inputs}
    return Job(
        id=JobId(id if id is not None else made_id(model, given)),
        place=Place(file=file, line=row, row=row),
        model=model,
        inputs=given,
        meta=meta or {},
    )


def some_jobs(count: int) -> list[Job]:
    """Jobs ``job-00``, ``job-01``, ..., each on a row of its own."""
    return [a_job(f"job-{number:02d}", row=number + 2) for number in range(count)]


def take(
    store: Store,
    jobs: Iterable[Job] | None,
    settings: Settings | None = None,
    rerun: Rerun | None = None,
    *,
    exists: bool = True,
    now: float = 1000.0,
) -> Plan:
    """Bring *store* up to date with a manifest (None: without one), as a run does, and return the plan."""
    with store.transaction():
        if jobs is not None:
            load_jobs(store, jobs)
        return prepare(
            store,
            settings or Settings(),
            rerun or Rerun(),
            staged=jobs is not None,
            size_of=lambda file: _recorded_size(store, file) if exists else None,
            now=now,
        )


def _recorded_size(store: Store, file: str) -> int | None:
    row = store.connection.execute("SELECT bytes FROM artifacts WHERE file = ?", (file,)).fetchone()
    return None if row is None else int(row[0])


def the(store: Store, job_id: str = "fox") -> Entry:
    """The job with that id, which must be there."""
    entry = store.entry_of(job_id)
    assert entry is not None
    return entry


def an_error(code: ErrorCode = ErrorCode.GENERATION_FAILED, message: str = "it did not work out") -> JobError:
    return JobError(code=code, message=message)


def some_outputs(count: int = 1, host: str = "films.example.com") -> list[Output]:
    return [
        Output(key=f"videos[{number}]", url=f"https://{host}/{number}.mp4") for number in range(1, count + 1)
    ]


def rid(text: str = "r-1") -> RequestId:
    return RequestId(text)


def save(
    store: Store, job_id: str = "fox", *, extension: str = ".mp4", now: float = 4.0, most: int | None = None
) -> Entry:
    """Give (the first *most*) outputs of a ready job that are not saved yet names, and call them saved."""
    entry = the(store, job_id)
    unsaved = [each for each in store.artifacts(entry.seq, entry.generation) if not each.saved]
    for output in unsaved[:most]:
        store.reserve(
            entry.seq, output.n, kind="video", extension=extension, size_bytes=5, sha256="ab", taken=nothing
        )
        entry = store.file_saved(entry.seq, output.n, now)
    return entry


def as_of_version_4(connection: sqlite3.Connection) -> None:
    """Make a ledger what it was before it knew of the files that runs leave."""
    names = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%noted'"
    for (name,) in connection.execute(names).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.executescript(
        "DROP TABLE written; DROP TABLE changed; DROP TABLE tallies; PRAGMA user_version = 4;"
    )


def nothing(_: str) -> bool:
    """Nobody uses that name."""
    return False


def bring(store: Store, state: State, job_id: str = "fox", *, outputs: int = 1) -> Entry:
    """Lead a pending job to *state* by the shortest way, one step after the other."""
    seq = the(store, job_id).seq
    sent: int = store.connection.execute("SELECT count(*) FROM attempts").fetchone()[0]
    request_id = rid(f"r-{job_id}-{sent + 1}")
    steps = {
        State.PENDING: lambda: store.entry(seq),
        State.SUBMITTING: lambda: store.intend(seq, 1.0),
        State.SUBMITTED: lambda: store.accepted(seq, request_id, 2.0),
        State.READY: lambda: store.done(seq, some_outputs(outputs), 0.5, 3.0),
        State.SUCCEEDED: lambda: save(store, job_id),
        State.FAILED: lambda: store.gave_up(seq, an_error(), 0.25, 3.0),
        State.CANCELLED: lambda: store.cancelled_there(seq, an_error(ErrorCode.CANCELLED_REMOTELY), 3.0),
        State.UNKNOWN: lambda: store.in_doubt(seq, an_error(ErrorCode.IN_DOUBT)),
    }
    with store.transaction():
        for step in WAYS[state]:
            entry = steps[step]()
    assert entry.state is state
    return entry


_SENT = (State.PENDING, State.SUBMITTING)
_TAKEN = (*_SENT, State.SUBMITTED)

WAYS = {
    State.PENDING: (State.PENDING,),
    State.SUBMITTING: _SENT,
    State.SUBMITTED: _TAKEN,
    State.READY: (*_TAKEN, State.READY),
    State.SUCCEEDED: (*_TAKEN, State.READY, State.SUCCEEDED),
    State.FAILED: (*_TAKEN, State.FAILED),
    State.CANCELLED: (*_TAKEN, State.CANCELLED),
    State.UNKNOWN: (*_SENT, State.UNKNOWN),
}
"""The states on the shortest way from pending."""
