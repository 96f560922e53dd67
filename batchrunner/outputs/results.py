"""``results.jsonl``: one line a job, in manifest order, with everything the ledger knows of it.

Read from the ledger as a stream and put in place whole, so a reader never sees half of it.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from json.encoder import encode_basestring
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from .._types import Json
from ..disk import replaced_file
from ..ledger import Store
from ..ledger.images import written_paths
from ..staging import REFERENCE

_JOINED: Final = """FROM jobs LEFT JOIN artifacts a ON a.job = jobs.seq AND a.generation = jobs.generation
    LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)
    WHERE {where} ORDER BY in_manifest DESC, position, seq, a.n"""

_ROWS: Final = f"""SELECT jobs.*, a.n, kind, bytes, sha256, a.url AS url, s.url AS stored_url,
    a.file AS saved_file, a.saved_at AS file_saved_at {_JOINED}"""

_CELLS: Final = f"""SELECT seq, id, row, model, state, inputs, meta, request_id, attempts, cost_usd,
    submitted_at, completed_at, jobs.saved_at, in_manifest, error_code, error_message, service_code,
    a.n, iif(a.saved_at IS NULL, NULL, a.file), kind, iif(a.saved_at IS NULL AND s.url IS NULL, NULL, bytes),
    iif(a.saved_at IS NULL AND s.url IS NULL, NULL, sha256), a.url, s.url {_JOINED}"""
"""The same for a million lines: nothing that is not shown, and in the order of `_text`."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)

_UNSHOWN: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Interrupted(Exception):
    """The user does not want to wait for the file."""


def read_results(store: Store, where: str = "1") -> Iterator[dict[str, Json]]:
    """Yield the line of every job that satisfies the SQL condition *where*, as data."""
    paths = written_paths(store)
    rows = store.connection.execute(_ROWS.format(where=where))
    for _, group in groupby(rows, key=lambda row: row["seq"]):
        yield _line(list(group), paths)


def write_results(store: Store, path: Path, go_on: Callable[[], bool] = lambda: True) -> None:
    """Write every job's line to *path*.  Raises Interrupted as soon as *go_on* says no."""
    with replaced_file(path) as file:
        for line in read_lines(store):
            if not go_on():
                raise Interrupted
            file.write(line)


def read_lines(store: Store) -> Iterator[str]:
    """Yield what `read_results` does as lines of text, a million of them in seconds.

    The inputs are JSON in the ledger already: they are copied into the line.
    """
    paths = written_paths(store)
    cursor = store.connection.cursor()
    cursor.row_factory = None  # plain tuples
    for _, group in groupby(cursor.execute(_CELLS.format(where="1")), key=itemgetter(0)):
        yield _shown(_text(list(group), paths)) + "\n"


def json_line(value: Json) -> str:
    """Return *value* as one line of JSON that people can read and a terminal can show.

    Control characters above ASCII and those that turn the direction of text are written as escapes.
    """
    return _shown(_ENCODER.encode(value))


def _shown(text: str) -> str:
    if text.isascii() and "\x7f" not in text:
        return text
    whole = text.encode("utf-8", "replace").decode()
    return _UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)


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


def _text(rows: list[tuple[Any, ...]], paths: Mapping[str, str]) -> str:
    """Return `_line` as JSON, put together from the parts that need no thought."""
    (_, job_id, line, model, state, inputs, meta, request_id, attempts, cost_usd, submitted_at, completed_at,
     saved_at, in_manifest, code, message, service_code, *_) = rows[0]  # fmt: skip
    local_files = _local_files(inputs, paths)
    local = f'"local_files": {_ENCODER.encode(local_files)}, ' if local_files else ""
    outputs = ", ".join([_output_text(*row[-7:]) for row in rows if row[-7] is not None])
    error: Json = {"code": code, "message": message, "service_code": service_code}
    return (
        f'{{"id": {_quoted(job_id)}, "row": {line}, "model": {_quoted(model)}, "status": "{state}", '
        f'"inputs": {_copied(inputs)}, '
        f'{local}"meta": {_copied(meta)}, "request_id": {_quoted(request_id)}, '
        f'"attempts": {attempts}, "outputs": [{outputs}], '
        f'"error": {"null" if code is None else _ENCODER.encode(error)}, '
        f'"cost_usd": {"null" if cost_usd is None else _ENCODER.encode(cost_usd)}, '
        f'"submitted_at": {_instant(submitted_at)}, "completed_at": {_instant(completed_at)}, '
        f'"saved_at": {_instant(saved_at)}, "in_manifest": {"true" if in_manifest else "false"}}}'
    )


def _output_text(
    _: int,
    file: str | None,
    kind: str | None,
    size: int | None,
    sha256: str | None,
    url: str,
    stored: str | None,
) -> str:
    store = "" if stored is None else f', "store": {_quoted(stored)}'
    return (
        f'{{"file": {_quoted(file)}, "kind": {_quoted(kind)}, "bytes": {"null" if size is None else size}, '
        f'"sha256": {_quoted(sha256)}, "url": {_quoted(url)}{store}}}'
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def _copied(written: str) -> str:
    """Return the ledger's JSON as it is; its escapes, if it has any, as the letters that people read."""
    return _ENCODER.encode(json.loads(written)) if "\\u" in written else written


def _instant(instant: float | None) -> str:
    return "null" if instant is None else f'"{iso(instant)}"'


def _error(job: sqlite3.Row) -> dict[str, Json] | None:
    if job["error_code"] is None:
        return None
    return {"code": job["error_code"], "message": job["error_message"], "service_code": job["service_code"]}


def iso(instant: float | None) -> str | None:
    """Return an instant in ISO 8601, UTC, with milliseconds."""
    if instant is None:
        return None
    second = math.floor(instant)
    millisecond = round((instant - second) * 1e6) // 1000  # as datetime does: rounded once, then cut
    if millisecond == 1000:
        second, millisecond = second + 1, 0
    return f"{_second(second)}.{millisecond:03}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    """Jobs end together: of a million instants most share their second with the one before."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
