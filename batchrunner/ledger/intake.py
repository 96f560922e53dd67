"""How a manifest's jobs come into the ledger: staged row by row, compared by id and inputs, then taken in.

Staging and taking in happen inside one transaction of the caller, so a manifest with a problem leaves no
trace, and a plan is the very same work on a scratch copy.  Rows are staged in a temporary table, whose unique
index finds ids used twice when all rows are there: memory does not grow with the manifest.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, TypeAlias

from .._types import Job, Json, Place, Problem
from ..lifecycle import HOLDS_REQUEST, State
from ..manifest.fingerprint import ID_DIGITS, canonical, fingerprint_of, id_from, made_id
from .store import Store

COLLECT_AFTER: Final = 20_000  # objects made and not let go: a few megabytes; Python's own count is 700

_STAGED: Final = """CREATE TEMP TABLE IF NOT EXISTS staged (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, file TEXT NOT NULL, row INTEGER NOT NULL,
    is_made INTEGER NOT NULL,  -- whether the id was made of the inputs
    model TEXT, inputs TEXT, meta TEXT, fingerprint TEXT  -- NULL where nothing will be taken in
    ) STRICT"""

_STAGE: Final = "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STAGE_IDS: Final = "INSERT INTO staged (position, id, file, row, is_made) VALUES (?, ?, ?, ?, ?)"

# One sort at the end: kept up to date row by row, the index costs several times as much for ids in no order.
_BY_ID: Final = "CREATE UNIQUE INDEX temp.staged_by_id ON staged (id)"

_REPEATED: Final = """SELECT position, id, file, row, is_made, first FROM staged
    JOIN (SELECT id AS again, min(position) AS first FROM staged GROUP BY id HAVING count(*) > 1)
    ON id = again AND position > first ORDER BY position"""

_INSERT_NEW: Final = f"""INSERT INTO jobs (id, position, file, row, model, inputs, meta, fingerprint, state)
    SELECT id, position, file, row, model, inputs, meta, fingerprint, '{State.PENDING}' FROM staged
    WHERE id NOT IN (SELECT id FROM jobs) ORDER BY position"""

_REFRESH_SAME: Final = """UPDATE jobs SET position = s.position, file = s.file, row = s.row, in_manifest = 1
    FROM staged s WHERE s.id = jobs.id
    AND (jobs.position, jobs.file, jobs.row, jobs.in_manifest) IS NOT (s.position, s.file, s.row, 1)"""

_REFRESH_META: Final = """UPDATE jobs SET meta = s.meta FROM staged s
    WHERE s.id = jobs.id AND jobs.meta IS NOT s.meta AND jobs.next IS NULL
    AND jobs.model = s.model AND jobs.inputs = s.inputs"""

_EDITED_BACK: Final = """UPDATE jobs SET next = NULL, meta = s.meta FROM staged s
    WHERE s.id = jobs.id AND jobs.next IS NOT NULL AND jobs.model = s.model AND jobs.inputs = s.inputs"""

_EDITED: Final = """SELECT jobs.seq, jobs.id, jobs.row, jobs.state, jobs.attempts,
    jobs.model AS old_model, jobs.inputs AS old_inputs, jobs.next,
    s.model, s.inputs, s.meta, s.fingerprint
    FROM staged s JOIN jobs ON jobs.id = s.id
    WHERE jobs.model <> s.model OR jobs.inputs <> s.inputs ORDER BY s.position"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A row that has other inputs than the ledger holds for its id."""

    id: str
    row: int
    state: State
    """The job's state when the edit was found."""
    changes: str
    """The fields with both values, such as ``seed 4 → 5``."""

    @property
    def pays_again(self) -> bool:
        """True when something was already submitted for the old inputs."""
        return self.state is State.SUCCEEDED or self.state is State.FAILED or self.state in HOLDS_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What taking in a manifest did."""

    new: int = 0
    edits: tuple[Edit, ...] = ()
    gone: int = 0


def stage(store: Store, rows: Iterable[Job | Problem], *, only_check: bool = False) -> list[Problem]:
    """Put the jobs of *rows* into the staging table and return every problem, in manifest order.

    With *only_check* no more is staged than finds ids used twice: nothing can be taken in then.
    """
    connection = store.connection
    problems: list[tuple[int, Problem]] = []
    connection.execute("DROP TABLE IF EXISTS temp.staged")
    connection.execute(_STAGED)
    with _at_once(connection), _rarely_collected():
        if only_check:
            connection.executemany(_STAGE_IDS, _id_rows(rows, problems))
        else:
            connection.executemany(_STAGE, _staged_rows(rows, problems))
    try:
        connection.execute(_BY_ID)
    except sqlite3.IntegrityError:
        problems = sorted([*problems, *_set_apart(connection)], key=itemgetter(0))
        connection.execute(_BY_ID)
    return [problem for _, problem in problems]


@contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    """Make one transaction of the block where the caller has opened none: else every row would be one."""
    connection.execute("SAVEPOINT staging")
    try:
        yield
    finally:
        connection.execute("RELEASE staging")


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Let the garbage collector look less often: rows come and go without cycles, and it would find none.

    It would otherwise take a third of the time.  Still bounded: so many objects that stay are looked at.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def staged_count(store: Store) -> int:
    total: int = store.connection.execute("SELECT count(*) FROM staged").fetchone()[0]
    return total


def take_in(store: Store, now: float) -> Intake:
    """Bring the ledger's jobs in line with the staged manifest and return what changed.

    Same id and inputs: kept.  New: pending.  Edited: a new generation, at once or after the old one is
    collected, as the job's state allows.  No longer in the manifest: never submitted, still collected.
    """
    connection = store.connection
    edits = tuple(_take_edit(store, row, now) for row in connection.execute(_EDITED).fetchall())
    connection.execute(_EDITED_BACK)
    connection.execute(_REFRESH_META)
    gone = connection.execute(
        "UPDATE jobs SET in_manifest = 0 WHERE in_manifest AND id NOT IN (SELECT id FROM staged)"
    ).rowcount
    connection.execute(_REFRESH_SAME)
    new = connection.execute(_INSERT_NEW).rowcount
    return Intake(new=new, edits=tuple(edit for edit in edits if edit is not None), gone=gone)


_Problems: TypeAlias = list[tuple[int, Problem]]
"""Each with its position among the rows."""


def _staged_rows(rows: Iterable[Job | Problem], problems: _Problems) -> Iterator[tuple[object, ...]]:
    """Yield all that is kept of each job, its inputs written and hashed once; problems go into *problems*."""
    for position, row in enumerate(rows, start=1):
        if isinstance(row, Problem):
            problems.append((position, row))
            continue
        job_id, (file, _, line), model, inputs, meta = row
        written = canonical(inputs)
        print_ = fingerprint_of(model, inputs, written)
        notes = canonical(meta) if meta else "{}"
        yield position, job_id, file, line, job_id == id_from(print_), model, written, notes, print_


def _id_rows(rows: Iterable[Job | Problem], problems: _Problems) -> Iterator[tuple[object, ...]]:
    """Yield what tells of each job whether its id is used twice, and what to say then."""
    for position, row in enumerate(rows, start=1):
        if isinstance(row, Problem):
            problems.append((position, row))
            continue
        job_id, (file, _, line), model, inputs, _ = row
        is_made = len(job_id) == ID_DIGITS and job_id == made_id(model, inputs)
        yield position, job_id, file, line, is_made


def _set_apart(connection: sqlite3.Connection) -> list[tuple[int, Problem]]:
    """Take out each job whose id an earlier one has, and return what to say about it."""
    repeated = connection.execute(_REPEATED).fetchall()
    found = [(row["position"], _used_twice(connection, row)) for row in repeated]
    connection.executemany("DELETE FROM staged WHERE position = ?", [(position,) for position, _ in found])
    return found


def _used_twice(connection: sqlite3.Connection, row: sqlite3.Row) -> Problem:
    first = connection.execute("SELECT file, row FROM staged WHERE position = ?", (row["first"],)).fetchone()
    where = f"line {first['row']}" if first["file"] == row["file"] else f"{first['file']}:{first['row']}"
    if row["is_made"]:
        message = f"the same inputs as {where}, and neither row has an id"
        hint = "give both an id to pay for both, or take one out"
    else:
        message = f"the id is used by {where} already"
        hint = "ids must differ; every id has its own file and its own payment"
    place = Place(file=row["file"], line=row["row"], row=row["row"])
    return Problem(place=place, id=row["id"], field="id", message=message, hint=hint)


def _take_edit(store: Store, row: sqlite3.Row, now: float) -> Edit | None:
    """Record the edit of one row; None when the ledger knew of it already."""
    upcoming = {key: row[key] for key in ("model", "inputs", "meta", "fingerprint")}
    if row["next"] is not None and json.loads(row["next"]) == upcoming:
        return None
    state = State(row["state"])
    store.connection.execute("UPDATE jobs SET next = ? WHERE seq = ?", (json.dumps(upcoming), row["seq"]))
    store.edit(row["seq"], now)
    changes = _changes(row["old_model"], row["old_inputs"], row["model"], row["inputs"])
    return Edit(id=row["id"], row=row["row"], state=state, changes=changes)


def _changes(old_model: str, old_inputs: str, model: str, inputs: str) -> str:
    before = {"model": old_model, **json.loads(old_inputs)}
    after = {"model": model, **json.loads(inputs)}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} {_brief(before.get(name))} → {_brief(after.get(name))}" for name in names)


def _brief(value: Json) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}…"
