"""Values that many tests need, with everything that does not matter to them filled in."""

from __future__ import annotations

from collections.abc import Iterable

from batchrunner._types import Job, JobError, JobId, Json, Output, Place, RequestId
from batchrunner.errors import ErrorCode
from batchrunner.ledger import Entry, Store
from batchrunner.manifest.fingerprint import fingerprint, id_from
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
    """A job whose prompt is its id, unless `text` says otherwise; without an id it is made from the inputs."""
    given: dict[str, Json] = {"text": id or "nameless", **inputs}
    mark = fingerprint(model, given)
    return Job(
        id=JobId(id if id is not None else id_from(mark)),
        place=Place(file=file, line=row, row=row),
        model=model,
        inputs=given,
        meta=meta or {},
        fingerprint=mark,
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
            exists=lambda file: exists,
            now=now,
        )


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
