"""How a manifest's jobs come into the ledger: staged row by row, compared by id and inputs, then taken in.

Staging and taking in happen inside one transaction of the caller, so a manifest with a problem leaves no
trace, and a plan is the very same work on a scratch copy.  Rows are staged in a temporary table; with nothing
to compare them with, in an empty ledger, they go where they belong at once.  Either table's unique index
finds ids used twice when all rows are there: memory does not grow with the manifest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Final, TypeAlias

from msgspec import Struct

from .._types import Job, Json, Place, Problem
from ..lifecycle import HOLDS_REQUEST, State
from ..manifest.alike import Census
from ..manifest.fingerprint import ID_DIGITS, canonical, fingerprint_of, id_from
from ..manifest.job_block import JobBlock, WrittenBlock
from ..manifest.read import Found
from ..manifest.repeated import Checked, used_twice
from ..sharding import Shard
from .loading import Batch, indexes_built_after, insert_all
from .store import Store

MOST_VALUES: Final = 4_000  # of one statement: SQLite takes eight times as many
MOST_CHARACTERS: Final = 2**20  # of the inputs in one statement, where rows are large

IN_ORDER: Final = ("jobs_by_state", "jobs_in_order")
"""In these indexes jobs that are all new come one behind the other."""

_STAGED: Final = """CREATE TEMP TABLE staged (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, file TEXT NOT NULL, row INTEGER NOT NULL,
    model TEXT NOT NULL, inputs TEXT NOT NULL, meta TEXT NOT NULL, fingerprint TEXT NOT NULL
    ) STRICT"""

_COLUMNS: Final = "position, id, file, row, model, inputs, meta, fingerprint"
_VALUES: Final = "?, ?, ?, ?, ?, ?, ?, ?"

_BY_ID: Final = "CREATE UNIQUE INDEX temp.staged_by_id ON staged (id)"

_REPEATED: Final = f"""SELECT position, id, file, row, first,
    id = substr(fingerprint, 1, {ID_DIGITS}) AS is_made FROM {{table}}
    JOIN (SELECT id AS again, min(position) AS first FROM {{table}} GROUP BY id HAVING count(*) > 1)
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


class Edit(Struct, frozen=True, kw_only=True):
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


class Intake(Struct, frozen=True, kw_only=True):
    """What taking in a manifest did."""

    new: int = 0
    edits: tuple[Edit, ...] = ()
    gone: int = 0


def stage(
    store: Store,
    rows: Iterable[Found | WrittenBlock],
    *,
    shard: Shard | None = None,
    counting: Sequence[str] = (),
) -> Checked:
    """Bring the jobs of *rows* to where `take_in` finds them; with any problem nothing is staged.

    With *shard* they are all kept apart, until `leave_to_others` has taken those of other shards out.  Jobs
    that are all new are counted by the inputs *counting*.
    """
    connection = store.connection
    problems: _Problems = []
    census: Census | None = None
    connection.execute("DROP TABLE IF EXISTS temp.staged")
    with _undone_with(problems, connection):
        if shard is None and _is_empty(connection):
            census = Census(counting)
            repeated, jobs = _load(connection, _batches(rows, problems, census))
        else:
            connection.execute(_STAGED)
            repeated, jobs = _stage(connection, _batches(rows, problems))
        problems += repeated
    ordered = sorted(problems, key=itemgetter(0))
    return Checked(
        jobs=jobs - len(repeated),
        problems=tuple(problem for _, problem in ordered),
        counted=None if census is None else census.found(),
    )


def _load(connection: sqlite3.Connection, batches: Iterator[Batch]) -> tuple[_Problems, int]:
    """Put all rows into the empty table of jobs; return what ids were used twice, and the number of rows."""
    try:
        with indexes_built_after(connection, "jobs", in_order=IN_ORDER):
            into, row = f"jobs ({_COLUMNS}, state)", f"({_VALUES}, '{State.PENDING}')"
            insert_all(connection, into, row, batches)
    except sqlite3.IntegrityError:
        return _repeated(connection, "jobs"), _count(connection, "jobs")
    return [], _count(connection, "jobs")


def _stage(connection: sqlite3.Connection, batches: Iterator[Batch]) -> tuple[_Problems, int]:
    """Do the same with the staging table."""
    insert_all(connection, f"staged ({_COLUMNS})", f"({_VALUES})", batches)
    try:
        connection.execute(_BY_ID)
    except sqlite3.IntegrityError:
        return _repeated(connection, "staged"), _count(connection, "staged")
    return [], _count(connection, "staged")


@contextmanager
def _undone_with(problems: _Problems, connection: sqlite3.Connection) -> Iterator[None]:
    """Make one transaction of the block, where the caller has opened none; undo it if *problems* came up."""
    connection.execute("SAVEPOINT staging")
    try:
        yield
    finally:
        if problems:
            connection.execute("ROLLBACK TO staging")
        connection.execute("RELEASE staging")


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether there are no jobs yet, and the index of their ids can be built afterwards."""
    # Ledgers of earlier versions have that index as a part of the table.
    by_id = "SELECT 1 FROM sqlite_schema WHERE name = 'jobs_by_id'"
    return not connection.execute("SELECT 1 FROM jobs").fetchone() and bool(
        connection.execute(by_id).fetchone()
    )


def _count(connection: sqlite3.Connection, table: str) -> int:
    total: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return total


def staged_ids(store: Store) -> Iterator[str]:
    """Yield the id of every job of the manifest, whichever shard's it is."""
    return (row[0] for row in store.connection.execute("SELECT id FROM staged"))


def leave_to_others(store: Store, shard: Shard) -> None:
    """Take the jobs of other shards out of those to be taken in."""
    store.connection.create_function("is_ours", 1, shard.holds, deterministic=True)
    store.connection.execute("DELETE FROM staged WHERE NOT is_ours(id)")


def take_in(store: Store, now: float) -> Intake:
    """Bring the ledger's jobs in line with the staged manifest and return what changed.

    Same id and inputs: kept.  New: pending.  Edited: a new generation, at once or after the old one is
    collected, as the job's state allows.  No longer in the manifest: never submitted, still collected.
    """
    connection = store.connection
    if not connection.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'staged'").fetchone():
        return Intake(new=_count(connection, "jobs"))  # they are there: nothing was to be compared
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

_Value: TypeAlias = str | int


def _batches(
    rows: Iterable[Found | WrittenBlock], problems: _Problems, census: Census | None = None
) -> Iterator[Batch]:
    """Yield the values of some rows at a time; problems go into *problems*, and *census* counts the jobs."""
    counting = census.names if census else ()
    values: list[_Value] = []
    size, position = 0, 1
    for row in rows:
        if isinstance(row, Problem):
            problems.append((position, row))
            position += 1
            continue
        if isinstance(row, JobBlock | WrittenBlock):
            block = row.written(counting) if isinstance(row, JobBlock) else row
            values += _of_block(block, position)
            size += sum(map(len, block.inputs))
            position += block.size
            if census:
                census.add(block.model, block.alike)
        else:
            values += _of_job(row, position)
            size += len(str(values[-3]))
            position += 1
            if census:
                census.add_one(row.model, row.inputs)
        while len(values) >= MOST_VALUES:
            yield values[:MOST_VALUES]
            values, size = values[MOST_VALUES:], 0
        if size >= MOST_CHARACTERS:
            yield values
            values, size = [], 0
    if values:
        yield values


def _of_job(job: Job, position: int) -> tuple[_Value, ...]:
    """Return all that is kept of a job, its inputs written and hashed once."""
    job_id, (file, _, line), model, inputs, meta = job
    written = canonical(inputs)
    notes = canonical(meta) if meta else "{}"
    return position, job_id, file, line, model, written, notes, fingerprint_of(model, inputs, written)


def _of_block(block: WrittenBlock, position: int) -> list[_Value]:
    """Return the same of many jobs, one behind the other."""
    size, prints = block.size, block.prints()
    columns: tuple[Iterable[_Value], ...] = (
        range(position, position + size), block.given_ids or map(id_from, prints), [block.file] * size,
        block.lines, [block.model] * size, block.inputs, block.notes, prints,
    )  # fmt: skip
    width = len(columns)
    values: list[_Value] = [0] * (size * width)
    for at, column in enumerate(columns):
        values[at::width] = column
    return values


def _repeated(connection: sqlite3.Connection, table: str) -> _Problems:
    """Return what to say about each job whose id an earlier one has."""
    repeated = connection.execute(_REPEATED.format(table=table)).fetchall()
    return [(row["position"], _used_twice(connection, table, row)) for row in repeated]


def _used_twice(connection: sqlite3.Connection, table: str, row: sqlite3.Row) -> Problem:
    first = connection.execute(
        f"SELECT file, row FROM {table} WHERE position = ?", (row["first"],)
    ).fetchone()
    place = Place(file=row["file"], line=row["row"], row=row["row"])
    return used_twice(place, row["id"], (first["file"], first["row"]), is_made=bool(row["is_made"]))


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
