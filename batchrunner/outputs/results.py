"""``results.jsonl``: one line a job, in manifest order, with everything the ledger knows of it.

Read from the ledger as a stream and put in place whole, so a reader never sees half of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from .._types import Json
from ..files.disk import replaced_file
from ..ledger import Store
from ..ledger.images import written_paths
from ..ledger.stored import has_stored
from ..staging import REFERENCE
from .lines import IN_ORDER, IN_PIECE, Piece, json_line, pieces, text_of

_JOINED: Final = f"""FROM jobs LEFT JOIN artifacts a ON a.job = jobs.seq AND a.generation = jobs.generation
    LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)
    WHERE {{where}} ORDER BY {IN_ORDER}, a.n"""

_ROWS: Final = f"""SELECT jobs.*, a.n, kind, bytes, sha256, a.url AS url, s.url AS stored_url,
    a.file AS saved_file, a.saved_at AS file_saved_at {_JOINED}"""

_NOWHERE: Final = "a.saved_at IS NULL AND s.url IS NULL"

_OUTPUT: Final = f"""printf('{{"file": %s, "kind": %s, "bytes": %s, "sha256": %s, "url": %s%s}}',
    json_quote(iif(a.saved_at IS NULL, NULL, a.file)), json_quote(kind),
    json_quote(iif({_NOWHERE}, NULL, bytes)),
    json_quote(iif({_NOWHERE}, NULL, sha256)), json_quote(a.url),
    iif(s.url IS NULL, '', printf(', "store": %s', json_quote(s.url))))"""

_OUTPUTS: Final = f"""(SELECT group_concat({_OUTPUT}, ', ')
    FROM artifacts a LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)
    WHERE a.job = seq AND a.generation = jobs.generation)"""  # in the order of the key, which ends in n

_ERROR: Final = """iif(error_code IS NULL, 'null', printf('{"code": %s, "message": %s, "service_code": %s}',
    json_quote(error_code), json_quote(error_message), json_quote(service_code)))"""


def _iso_in_sql(instant: str) -> str:
    """Return the expression for what `iso` returns, in quotes."""
    return f"""ifnull(strftime('"%Y-%m-%dT%H:%M:%fZ"', {instant}, 'unixepoch'), 'null')"""


def _text(outputs: str) -> str:
    """Return the expression for `_line` as JSON: a million of them are put together where they are."""
    return f"""printf('{{"id": %s, "row": %d, "model": %s, "status": "%s", "inputs": %s, "meta": %s, '
    || '"request_id": %s, "attempts": %d, "outputs": [%s], "error": %s, "cost_usd": %s, "submitted_at": %s, '
    || '"completed_at": %s, "saved_at": %s, "in_manifest": %s}}',
    json_quote(id), row, json_quote(model), state, inputs, meta,
    json_quote(request_id), attempts, {outputs}, {_ERROR}, json_quote(cost_usd),
    {_iso_in_sql("submitted_at")}, {_iso_in_sql("completed_at")}, {_iso_in_sql("jobs.saved_at")},
    iif(in_manifest, 'true', 'false'))"""


_TEXT: Final = _text(_OUTPUTS)

_OF_ONE: Final = f"iif(a.n IS NULL, '', {_OUTPUT})"

_TEXT_OF_ONE: Final = f"iif(a.n > 1, NULL, {_text(_OF_ONE)})"
"""The same of a job joined with its one output; nothing for a job with several."""

_ONE_EACH: Final = f"""FROM jobs LEFT JOIN artifacts a ON a.job = jobs.seq AND a.generation = jobs.generation
    LEFT JOIN (SELECT NULL AS url) s ON 0 WHERE {IN_PIECE} ORDER BY {IN_ORDER}"""
"""Where nothing is in a store."""


STEPS_BETWEEN_QUESTIONS: Final = 100_000
"""SQLite's instructions between two looks at whether anybody still waits: a few milliseconds."""


class Interrupted(Exception):
    """The user does not want to wait for the file."""


@contextmanager
def interruptible(store: Store, go_on: Callable[[], bool]) -> Iterator[None]:
    """Whatever SQLite is at when *go_on* says no: end it, too.  Raises Interrupted then."""
    store.connection.set_progress_handler(lambda: not go_on(), STEPS_BETWEEN_QUESTIONS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise Interrupted from error
        raise
    finally:
        store.connection.set_progress_handler(None, 0)


def read_results(store: Store, where: str = "1", values: Sequence[object] = ()) -> Iterator[dict[str, Json]]:
    """Yield the line of every job that satisfies the SQL condition *where*, as data."""
    paths = written_paths(store)
    rows = store.connection.execute(_ROWS.format(where=where), values)
    for _, group in groupby(rows, key=lambda row: row["seq"]):
        yield _line(list(group), paths)


def write_results(store: Store, path: Path, go_on: Callable[[], bool] = lambda: True) -> None:
    """Write every job's line to *path*.  Raises Interrupted as soon as *go_on* says no."""
    with replaced_file(path) as file:
        for text in read_text(store):
            if not go_on():
                raise Interrupted
            file.write(text)


def read_text(store: Store) -> Iterator[str]:
    """Yield what `read_results` does as text of some lines at a time, a million of them in seconds.

    The inputs are JSON in the ledger already: they are copied into the line.
    """
    has_paths = bool(written_paths(store))
    for piece in pieces(store):
        yield from lines_of(store, piece, has_paths=has_paths)


def lines_of(store: Store, piece: Piece, *, has_paths: bool) -> Iterator[str]:
    """Yield the text of one piece; with *has_paths* its lines have one name more."""
    text = None
    if not has_paths and not has_stored(store):
        text = text_of(store, _TEXT_OF_ONE, _ONE_EACH, piece)
    if text is None and not has_paths:
        text = text_of(store, _TEXT, f"FROM jobs WHERE {IN_PIECE} ORDER BY {IN_ORDER}", piece)
    if text is None:
        yield from (json_line(line) + "\n" for line in read_results(store, IN_PIECE, piece))
    else:
        yield text


def _line(rows: list[sqlite3.Row], paths: Mapping[str, str]) -> dict[str, Json]:
    job = rows[0]
    local_files = _local_files(job["inputs"], paths)
    return {
        "id": job["id"],
        "row": job["row"],
        "model": job["model"],
        "status": job["state"],
        "inputs": json.loads(job["inputs"]),
        **({"local_files": local_files} if local_files else {}),
        "meta": json.loads(job["meta"]),
        "request_id": job["request_id"],
        "attempts": job["attempts"],
        "outputs": [_output(row) for row in rows if row["n"] is not None],
        "error": _error(job),
        "cost_usd": job["cost_usd"],
        "submitted_at": iso(job["submitted_at"]),
        "completed_at": iso(job["completed_at"]),
        "saved_at": iso(job["saved_at"]),
        "in_manifest": bool(job["in_manifest"]),
    }


def _output(row: sqlite3.Row) -> dict[str, Json]:
    is_here, stored = row["file_saved_at"] is not None, row["stored_url"] is not None
    return {
        "file": row["saved_file"] if is_here else None,
        "kind": row["kind"],
        "bytes": row["bytes"] if is_here or stored else None,
        "sha256": row["sha256"] if is_here or stored else None,
        "url": row["url"],
        **({"store": row["stored_url"]} if stored else {}),
    }


def _local_files(inputs: str, paths: Mapping[str, str]) -> dict[str, Json]:
    """Return how the manifest wrote the path of each local image that a job's *inputs* name."""
    references = REFERENCE.finditer(inputs) if paths else ()
    return {found[0]: paths[found[0]] for found in references if found[0] in paths}


def _error(job: sqlite3.Row) -> dict[str, Json] | None:
    if job["error_code"] is None:
        return None
    return {"code": job["error_code"], "message": job["error_message"], "service_code": job["service_code"]}


def iso(instant: float | None) -> str | None:
    """Return an instant in ISO 8601, UTC, to the millisecond."""
    if instant is None:
        return None
    # Rounded as SQLite does, which writes a million lines: it counts from noon of 24 November 4714 BC.
    milliseconds = int(instant * 1000.0 + JULIAN_MS + 0.5) - JULIAN_MS
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


JULIAN_MS: Final = 210_866_760_000_000
"""Milliseconds from there to 1970."""


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    """Jobs end together: of a million instants most share their second with the one before."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
