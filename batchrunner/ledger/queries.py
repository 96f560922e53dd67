"""What the ledger knows, read: jobs as entries, in pages or streams, and counts.

Nothing here changes anything.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from .._types import Inputs, JobId, RequestId
from ..lifecycle import State
from ..money.amounts import as_usd


class Entry(Struct, frozen=True, kw_only=True):
    """A job as the ledger holds it, with what its life needs."""

    seq: int
    id: JobId
    model: str
    inputs: Inputs
    state: State
    generation: int
    attempts: int
    """Accepted or in-doubt tries since the user last asked for it."""
    in_manifest: bool
    row: int
    """The line of the manifest on which its row starts."""
    not_before: float | None
    request_id: RequestId | None
    submitted_at: float | None
    outputs: tuple[Artifact, ...] | None = None
    """Its outputs, where they were read with it."""


class Artifact(Struct, frozen=True, kw_only=True):
    """One output of a job: the link, and the file once it has one."""

    n: int
    key: str
    url: str
    kind: str | None
    file: str | None
    bytes: int | None
    sha256: str | None
    saved: bool
    """Whether it is here under its name, or in the store."""


NAMES_AT_ONCE: Final = 10_000

_ENTRY: Final = """SELECT seq, id, model, inputs, state, generation, attempts - attempts_from AS attempts,
    in_manifest, row, not_before, request_id, submitted_at FROM jobs"""


class Queries:
    """The reading half of a Store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self.connection = connection

    def fact(self, key: str) -> str | None:
        row = self.connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def entry(self, seq: int) -> Entry:
        return _entry(self.connection.execute(f"{_ENTRY} WHERE seq = ?", (seq,)).fetchone())

    def entry_of(self, job_id: str) -> Entry | None:
        row = self.connection.execute(f"{_ENTRY} WHERE id = ?", (job_id,)).fetchone()
        return _entry(row) if row else None

    def page(
        self, state: State, *, after: tuple[int, int] = (0, 0), limit: int = 200
    ) -> list[tuple[tuple[int, int], Entry]]:
        """Return up to *limit* jobs in *state* in manifest order, each with the key to go on *after*."""
        rows = self.connection.execute(
            f"{_ENTRY.replace(' FROM', ', position FROM')} WHERE state = ? AND (position, seq) > (?, ?)"
            " ORDER BY position, seq LIMIT ?",
            (state, *after, limit),
        )
        return [((row["position"], row["seq"]), _entry(row)) for row in rows]

    def seqs(self, state: State) -> array[int]:
        """Return the numbers of all jobs in *state*, eight bytes each, in manifest order."""
        rows = self.connection.execute(
            "SELECT seq FROM jobs WHERE state = ? ORDER BY position, seq", (state,)
        )
        return array("q", (row[0] for row in rows))

    def ids(self) -> Iterator[str]:
        """Yield the id of every job of the manifest."""
        return (row[0] for row in self.connection.execute("SELECT id FROM jobs WHERE in_manifest"))

    def pending_groups(self, limit: int | None) -> list[tuple[str, bool, bool, int]]:
        """Group the manifest's first *limit* pending jobs: (model, attempted, asked for, how many)."""
        rows = self.connection.execute(
            "SELECT model, attempts > attempts_from, attempts_from > 0 OR generation > 1, count(*) FROM"
            " (SELECT model, attempts, attempts_from, generation FROM jobs"
            f" WHERE state = '{State.PENDING}' AND in_manifest ORDER BY position LIMIT ?) GROUP BY 1, 2, 3",
            (-1 if limit is None else limit,),
        )
        return [(row[0], bool(row[1]), bool(row[2]) and not row[1], row[3]) for row in rows]

    def pending(self) -> Iterator[tuple[str, str, int, bool]]:
        """Yield (id, model, attempts, asked for) of the manifest's pending jobs, in its order.

        Attempts are those since the user last asked; "asked for" says that the user did.
        """
        rows = self.connection.execute(
            "SELECT id, model, attempts - attempts_from AS attempts,"
            " attempts_from > 0 OR generation > 1 OR completed_at IS NOT NULL"
            f" FROM jobs WHERE state = '{State.PENDING}' AND in_manifest ORDER BY position"
        )
        return ((row[0], row[1], row[2], bool(row[3]) and row[2] == 0) for row in rows)

    def pending_jobs(self) -> Iterator[tuple[str, str, int, str, Inputs]]:
        """Yield (id, file, row, model, inputs) of the manifest's pending jobs, in its order."""
        rows = self.connection.execute(
            f"SELECT id, file, row, model, inputs FROM jobs WHERE state = '{State.PENDING}' AND in_manifest"
            " ORDER BY position"
        )
        return ((*row[:4], json.loads(row[4])) for row in rows)

    def pending_alike(self, names: Sequence[str], *, limit: int) -> Iterator[tuple[str, Inputs, int]]:
        """Yield (model, its inputs of *names*, count) of the first pending jobs, alike ones together."""
        values = ", ".join("json_extract(inputs, ?)" for _ in names)
        groups = ", ".join(str(number) for number in range(1, len(names) + 2))
        rows = self.connection.execute(
            f"SELECT model, {values}, count(*) FROM (SELECT model, inputs FROM jobs"
            f" WHERE state = '{State.PENDING}' AND in_manifest ORDER BY position LIMIT ?) GROUP BY {groups}",
            (*(f'$."{name}"' for name in names), limit),
        )
        for model, *found, count in rows:
            inputs = zip(names, found, strict=True)
            yield model, {name: value for name, value in inputs if value is not None}, count

    def saved_files(self) -> Iterator[tuple[int, int, str, int]]:
        """Yield (seq, n, file, bytes) of every output that is here, of every job that has succeeded."""
        rows = self.connection.execute(
            "SELECT seq, n, a.file, bytes FROM artifacts a"
            " JOIN jobs ON seq = job AND jobs.generation = a.generation"
            f" WHERE state = '{State.SUCCEEDED}' AND a.saved_at IS NOT NULL"
        )
        return ((row[0], row[1], row[2], row[3]) for row in rows)

    def has_saved_more_than(self, count: int) -> bool:
        """Return whether more than *count* files were saved."""
        rows = self.connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM artifacts WHERE saved_at IS NOT NULL LIMIT ?)", (count + 1,)
        )
        return bool(rows.fetchone()[0] > count)

    def saved_names(self, after: str, before: str) -> Iterator[str]:
        """Yield the names of all saved files between two, in order: thousands in one text, one a line."""
        while True:
            names, after = self.connection.execute(
                "SELECT group_concat(file, char(10)), max(file) FROM (SELECT file FROM artifacts"
                " WHERE saved_at IS NOT NULL AND file > ? AND file < ? ORDER BY file LIMIT ?)",
                (after, before, NAMES_AT_ONCE),
            ).fetchone()
            if names is None:
                return
            yield names

    def ended(self) -> list[tuple[Entry, str | None]]:
        """Return every job that the user may ask to run again, with its error code."""
        rows = self.connection.execute(
            f"{_ENTRY.replace(' FROM', ', error_code FROM')} WHERE state IN (?, ?, ?, ?)",
            (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.UNKNOWN),
        )
        return [(_entry(row), row["error_code"]) for row in rows]

    def entries(self, *states: State) -> Iterator[Entry]:
        """Yield every job in one of *states*, in manifest order."""
        for state in states:
            after = (0, 0)
            while page := self.page(state, after=after):
                yield from (entry for _, entry in page)
                after = page[-1][0]

    def artifacts(self, seq: int, generation: int) -> list[Artifact]:
        rows = self.connection.execute(
            "SELECT a.*, a.saved_at IS NOT NULL OR s.url IS NOT NULL AS saved FROM artifacts a"
            " LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)"
            " WHERE a.job = ? AND a.generation = ? ORDER BY a.n",
            (seq, generation),
        )
        return [
            Artifact(n=r["n"], key=r["key"], url=r["url"], kind=r["kind"], file=r["file"], bytes=r["bytes"],
                     sha256=r["sha256"], saved=bool(r["saved"]))
            for r in rows
        ]  # fmt: skip

    def counts(self) -> dict[State, int]:
        """Return how many jobs of the manifest are in each state, zeros too."""
        every = dict(self.connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        gone = self.gone_counts()
        return {state: every.get(state, 0) - gone.get(state, 0) for state in State}

    def gone_counts(self) -> dict[State, int]:
        """Return how many jobs that are no longer in the manifest are in each state."""
        rows = self.connection.execute(
            "SELECT state, count(*) FROM jobs WHERE NOT in_manifest GROUP BY state"
        )
        return {State(state): n for state, n in rows}

    def count(self, where: str, *values: object) -> int:
        """Return how many jobs satisfy the SQL condition *where*."""
        total: int = self.connection.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0]
        return total

    def unfinished(self) -> Iterator[tuple[str, State, int]]:
        """Yield (id, state, attempts) of the manifest's jobs that are pending or ended without success."""
        rows = self.connection.execute(
            "SELECT id, state, attempts FROM jobs WHERE in_manifest AND state IN (?, ?, ?, ?)",
            (State.PENDING, State.FAILED, State.CANCELLED, State.UNKNOWN),
        )
        return ((row[0], State(row[1]), row[2]) for row in rows)

    def errors(self) -> dict[str, int]:
        """Return how many of the manifest's jobs carry each error code, most first."""
        rows = self.connection.execute(
            "SELECT error_code, count(*) AS n FROM jobs WHERE in_manifest AND error_code IS NOT NULL"
            " GROUP BY error_code ORDER BY n DESC, error_code"
        )
        return {row[0]: row[1] for row in rows}

    def superseded_count(self) -> int:
        total: int = self.connection.execute("SELECT count(*) FROM generations").fetchone()[0]
        return total

    def largest_film(self) -> int:
        """Return the bytes of the largest output of the last thousand; 0 without one."""
        largest: int = self.connection.execute(
            "SELECT ifnull(max(bytes), 0) FROM (SELECT bytes FROM artifacts ORDER BY job DESC LIMIT 1000)"
        ).fetchone()[0]
        return largest

    def run_times(self, limit: int = 1000) -> list[tuple[str, Inputs, float, float]]:
        """Return (model, inputs, at least, at most) of the last jobs whose run time is known, in order."""
        rows = self.connection.execute(
            "SELECT model, inputs, ran_at_least_s, ran_at_most_s FROM attempts JOIN jobs ON seq = job"
            " WHERE ran_at_most_s IS NOT NULL ORDER BY job DESC LIMIT ?",
            (limit,),
        ).fetchall()
        return [(row[0], json.loads(row[1]), row[2], row[3]) for row in reversed(rows)]

    def mix(self, limit: int = 2000) -> list[tuple[str, Inputs]]:
        """Return (model, inputs) of the open jobs; of many, a sample spread evenly over them."""
        columns, is_open = "SELECT model, inputs FROM jobs", "state IN ('pending', 'submitted')"
        last: int = self.connection.execute("SELECT ifnull(max(seq), 0) FROM jobs").fetchone()[0]
        if last <= 2 * limit:
            rows = self.connection.execute(f"{columns} WHERE {is_open}").fetchall()
        else:  # multiples of the golden ratio: spread evenly, and in step with no pattern of the manifest
            seqs = {1 + int(last * (n * 0.6180339887498949 % 1)) for n in range(limit)}
            rows = self.connection.execute(
                f"{columns} WHERE +{is_open} AND seq IN ({','.join(map(str, seqs))})"
            ).fetchall()
        return [(row[0], json.loads(row[1])) for row in rows]

    def cost_usd(self) -> float | None:
        """Return what the service said all attempts cost; None when it never said."""
        priced, known = self.connection.execute("SELECT priced, known FROM spending").fetchone()
        return as_usd(known) if priced else None

    def committed_micros(self) -> int:
        """Return what all attempts cost, or are taken to cost until that is known, in micro-dollars."""
        micros: int = self.connection.execute("SELECT micros FROM spending").fetchone()[0]
        return micros

    def reserved_micros(self) -> int:
        """Return what those attempts are taken to cost of which no cost is known, in micro-dollars."""
        micros: int = self.connection.execute("SELECT micros - known FROM spending").fetchone()[0]
        return micros

    def unpriced_attempts(self) -> Iterator[tuple[int, int, int, str, Inputs]]:
        """Yield (job, generation, number, model, inputs) of attempts without cost and estimate."""
        rows = self.connection.execute(
            "SELECT a.job, a.generation, a.number, ifnull(g.model, jobs.model), ifnull(g.inputs, jobs.inputs)"
            " FROM attempts a JOIN jobs ON seq = a.job"
            " LEFT JOIN generations g ON g.job = a.job AND g.generation = a.generation"
            " WHERE a.cost_usd IS NULL AND a.reserved_micros IS NULL AND a.outcome IS NOT 'cancelled'"
        ).fetchall()
        return ((row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows)

    def models_in_flight(self) -> set[str]:
        """Return the models of jobs that hold a request or a doubt, and so may be submitted again."""
        rows = self.connection.execute(
            "SELECT DISTINCT ifnull(json_extract(next, '$.model'), model) FROM jobs"
            " WHERE in_manifest AND state IN (?, ?)",
            (State.SUBMITTED, State.UNKNOWN),
        )
        return {row[0] for row in rows}


def _entry(row: sqlite3.Row) -> Entry:
    """Return the job whose row begins with the columns of _ENTRY; by place, for each step makes one."""
    (seq, id_, model, inputs, state, generation, attempts, in_manifest, line, not_before, request_id,
     submitted_at, *_) = row  # fmt: skip
    return Entry(
        seq=seq, id=id_, model=model, inputs=json.loads(inputs), state=State(state), generation=generation,
        attempts=attempts, in_manifest=bool(in_manifest), row=line, not_before=not_before,
        request_id=request_id, submitted_at=submitted_at,
    )  # fmt: skip
