"""Several shards' ledgers -> one: to read them as one, and to make one of them for good.

The jobs keep all they have (attempts, costs, generations, files, facts); only their numbers are new, and a
file is first called by the path that leads to it from the whole folder.  `settle_names` then gives files the
names they would have in a folder of their own, and remembers where each one came from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from ..errors import FolderUnusable
from ..names import collision_key, mark
from ..sharding import SHARD_FACT
from .connections import uri_for_reading
from .schema import VERSION
from .store import Store
from .written import WRITTEN_FACT

OWN_TO_EACH: Final = frozenset({"facts", "spending", "written", "changed", "tallies"})
"""Tables that are not copied: facts are taken over one by one, the sum of costs keeps itself, and the files
that a shard's runs left stay its own."""

FORGOTTEN: Final = frozenset({"owned", SHARD_FACT, "rerun", "manifest", WRITTEN_FACT})
"""Facts that hold for one ledger only."""

NUMBER: Final = {"jobs": "seq"}
"""What a job's number is called in a table, where it is not ``job``."""

_HERE: Final = {
    # A request id that two shards were given is one of them's; the other's job keeps it in its own row.
    ("attempts", "request_id"): "iif(request_id IN (SELECT request_id FROM main.attempts), NULL, request_id)",
    ("artifacts", "file"): ":prefix || file",
    ("artifacts", "file_key"): ":prefix || file_key",
}

LONGEST_NAME: Final = 255
"""Bytes that every file system takes."""

MOVES: Final = "CREATE TABLE moves (target TEXT PRIMARY KEY, source TEXT NOT NULL) STRICT, WITHOUT ROWID"
"""Files whose names `settle_names` has changed; ``source`` is where they stand until they are moved."""

CAP: Final = "max_cost_micros"
"""The fact that keeps ``--max-cost``, which is the whole batch's in every shard."""

_NAMED: Final = """SELECT job, artifacts.generation, n, artifacts.file, id
    FROM artifacts JOIN jobs ON seq = job
    WHERE artifacts.file IS NOT NULL AND (job, artifacts.generation, n) > (?, ?, ?)
    ORDER BY job, artifacts.generation, n LIMIT 10000"""


def fold(store: Store, part: Path, prefix: str) -> None:
    """Add what the ledger at *part* holds; its files lie under *prefix*, as seen from the whole folder.

    Raises FolderUnusable for a ledger that does not fit to those that are there already.
    """
    with _attached(store.connection, part), store.transaction():
        offset = store.connection.execute("SELECT ifnull(max(seq), 0) FROM main.jobs").fetchone()[0]
        try:
            for table in _tables(store.connection):
                _copy(store.connection, table, {"offset": offset, "prefix": f"{prefix}/"})
        except sqlite3.IntegrityError as error:
            raise FolderUnusable(
                f"{part} holds jobs that another shard holds too ({error})",
                hint="was a shard's folder copied over another's? put its own back",
            ) from error
        _take_facts(store, part)


def settle_names(store: Store, taken: Callable[[str], bool] = lambda name: False) -> None:
    """Call every file as in a folder without shards, and write into a table where each one comes from.

    *taken* says whether something that the ledgers do not know stands under a name already.
    """
    connection, after = store.connection, (0, 0, 0)
    with store.transaction():
        connection.execute(MOVES)
        while rows := connection.execute(_NAMED, after).fetchall():
            for *artifact, source, job_id in rows:
                for target in _names(source, job_id, artifact[0]):
                    if not taken(target) and _renamed(connection, artifact, target):
                        break
                connection.execute("INSERT INTO moves VALUES (?, ?)", (target, source))
            after = tuple(artifact)


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables whose rows are copied, jobs first."""
    rows = connection.execute("SELECT name FROM part.sqlite_schema WHERE type = 'table' ORDER BY rowid")
    return [name for (name,) in rows if name not in OWN_TO_EACH and not name.startswith("sqlite_")]


def _copy(connection: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Copy a table's rows; those that are no job's are the same wherever they stand."""
    names = [row["name"] for row in connection.execute(f"PRAGMA part.table_info({table})")]
    number = NUMBER.get(table, "job")
    taken = [f"{name} + :offset" if name == number else _HERE.get((table, name), name) for name in names]
    verb = "INSERT" if number in names else "REPLACE"
    connection.execute(
        f"{verb} INTO main.{table} ({', '.join(names)}) SELECT {', '.join(taken)} FROM part.{table}", values
    )


def moves(store: Store) -> Iterator[tuple[str, str]]:
    """Yield (source, target) of each file that `settle_names` has given another name."""
    if not _has_moves(store):
        return iter(())
    return ((row[1], row[0]) for row in store.connection.execute("SELECT target, source FROM moves"))


def forget_moves(store: Store) -> None:
    """Take the table away: every file stands under its name."""
    store.connection.execute("DROP TABLE IF EXISTS moves")


def source_of(store: Store, file: str) -> str:
    """Return where *file* stands until it is moved."""
    if not _has_moves(store):
        return file
    row = store.connection.execute("SELECT source FROM moves WHERE target = ?", (file,)).fetchone()
    return file if row is None else str(row[0])


def _has_moves(store: Store) -> bool:
    return store.connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'moves'").fetchone() is not None


def _names(source: str, job_id: str, seq: int) -> Iterator[str]:
    """Yield names for a file of the shard's folder that *source* begins with; they never end."""
    plain = PurePosixPath(*PurePosixPath(source).parts[2:])
    yield str(plain)
    marked = f"{plain.stem}{mark(job_id)}{plain.suffix}"
    if len(marked.encode()) <= LONGEST_NAME:
        yield str(plain.with_name(marked))
    while True:
        yield str(plain.with_name(f"job-{seq}{mark(job_id)}{plain.suffix}"))
        seq += 1_000_003  # far beyond any other job's number


def _renamed(connection: sqlite3.Connection, artifact: Sequence[int], target: str) -> bool:
    """Give an artifact its name; return whether nothing else is called so."""
    try:
        connection.execute(
            "UPDATE artifacts SET file = ?, file_key = ? WHERE (job, generation, n) = (?, ?, ?)",
            (target, collision_key(target), *artifact),
        )
    except sqlite3.IntegrityError:
        return False
    return True


def _take_facts(store: Store, part: Path) -> None:
    """Take over what holds for the whole folder.  Raises FolderUnusable where the shards contradict."""
    facts = dict(store.connection.execute("SELECT key, value FROM part.facts").fetchall())
    origin = store.fact("origin")
    if None not in (origin, facts.get("origin")) and origin != facts["origin"]:
        raise FolderUnusable(
            f"{part} belongs to {facts['origin']}, other shards to {origin}: they cannot be read as one",
            hint="read each shard's own folder",
        )
    for key, value in facts.items():
        if key not in FORGOTTEN and store.fact(key) is None:
            store.set_fact(key, value)
    caps = [int(cap) for cap in (store.fact(CAP), facts.get(CAP)) if cap is not None]
    store.set_fact(CAP, str(min(caps)) if caps else None)
    if "1" in (store.fact("simulated"), facts.get("simulated")):
        store.set_fact("simulated", "1")


@contextmanager
def _attached(connection: sqlite3.Connection, part: Path) -> Iterator[None]:
    connection.execute("ATTACH ? AS part", (uri_for_reading(part),))
    try:
        (version,) = connection.execute("PRAGMA part.user_version").fetchone()
        if version != VERSION:
            raise FolderUnusable(
                f"{part} was written by another version of batchrunner (schema {version}, not {VERSION})",
                hint="`batchrunner resume` on its folder brings an older one up to date",
            )
        yield
    finally:
        connection.execute("DETACH part")
