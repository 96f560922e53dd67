"""``results.jsonl``: one line a job, in manifest order, with everything the ledger knows of it.

Read from the ledger as a stream and put in place whole, so a reader never sees half of it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from .._types import Json
from ..disk import replaced_file
from ..ledger import Store

_ROWS: Final = """SELECT jobs.*, n, kind, bytes, sha256, url,
    a.file AS saved_file, a.saved_at AS file_saved_at
    FROM jobs LEFT JOIN artifacts a ON a.job = jobs.seq AND a.generation = jobs.generation
    WHERE {where} ORDER BY in_manifest DESC, position, seq, n"""


_UNSHOWN: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Interrupted(Exception):
    """The user does not want to wait for the file."""


def read_results(store: Store, where: str = "1") -> Iterator[dict[str, Json]]:
    """Yield the line of every job that satisfies the SQL condition *where*, as data."""
    rows = store.connection.execute(_ROWS.format(where=where))
    for _, group in groupby(rows, key=lambda row: row["seq"]):
        yield _line(list(group))


def write_results(store: Store, path: Path, go_on: Callable[[], bool] = lambda: True) -> None:
    """Write every job's line to *path*.  Raises Interrupted as soon as *go_on* says no."""
    with replaced_file(path) as file:
        for line in read_results(store):
            if not go_on():
                raise Interrupted
            file.write(json_line(line) + "\n")


def json_line(value: Json) -> str:
    """Return *value* as one line of JSON that people can read and a terminal can show.

    Control characters above ASCII and those that turn the direction of text are written as escapes.
    """
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return _UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _line(rows: list[sqlite3.Row]) -> dict[str, Json]:
    job = rows[0]
    return {
        "id": job["id"],
        "row": job["row"],
        "model": job["model"],
        "status": job["state"],
        "inputs": json.loads(job["inputs"]),
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
    saved: Any = row["file_saved_at"] is not None
    return {
        "file": row["saved_file"] if saved else None,
        "kind": row["kind"],
        "bytes": row["bytes"] if saved else None,
        "sha256": row["sha256"] if saved else None,
        "url": row["url"],
    }


def _error(job: sqlite3.Row) -> dict[str, Json] | None:
    if job["error_code"] is None:
        return None
    return {"code": job["error_code"], "message": job["error_message"], "service_code": job["service_code"]}


def iso(instant: float | None) -> str | None:
    """Return an instant in ISO 8601, UTC, with milliseconds."""
    if instant is None:
        return None
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
