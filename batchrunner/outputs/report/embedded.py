"""Which jobs does the page hold, and in which form?  Everything that went badly first, then the newest films.

A page of a million jobs would open nowhere: so many jobs and so many bytes, and the page says what it
leaves out.  The form is JSON that stays data wherever HTML puts it: no ``<``, ``>`` or ``&``, no line
separator that a script could take for an end of line.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

from msgspec import Struct

from ..._types import Json
from ...ledger import Store
from ...lifecycle import State
from ..results import Interrupted

MAX_JOBS: Final = 25_000
MAX_BYTES: Final = 32 * 1024 * 1024
LONGEST_TEXT: Final = 20_000
"""Characters of one text in the page; the whole of it is in results.jsonl."""

EXACT_IN_BROWSERS: Final = 2**53 - 1
"""JavaScript rounds greater whole numbers: they are shown as text, so that a seed stays the seed."""

FIELDS: Final = (
    "id", "row", "model", "state", "inputs", "meta", "files", "attempts", "cost", "submitted", "completed",
    "saved", "code", "message", "request", "gone",
)  # fmt: skip
"""The order of a job's values in the page; report.js reads them by these names."""

_BAD: Final = f"state IN ('{State.FAILED}', '{State.UNKNOWN}', '{State.CANCELLED}')"

_GOOD: Final = f"state = '{State.SUCCEEDED}' AND saved_at IS NOT NULL"

_NEW_ENOUGH: Final = f"""saved_at >= ifnull((SELECT min(saved_at) FROM
    (SELECT saved_at FROM jobs WHERE {_GOOD} ORDER BY position DESC LIMIT :most)), saved_at)"""
"""So many jobs were saved since then that none of the newest is older: nearly all others need no sorting."""

_CHOSEN: Final = f"""SELECT seq FROM (SELECT seq FROM jobs WHERE {_BAD} ORDER BY position, seq LIMIT :half)
    UNION ALL SELECT seq FROM (SELECT seq FROM jobs WHERE {_GOOD} AND {_NEW_ENOUGH}
    ORDER BY saved_at DESC, position, seq LIMIT :most)
    UNION ALL SELECT seq FROM (SELECT seq FROM jobs WHERE NOT ({_BAD} OR ({_GOOD}))
    ORDER BY saved_at DESC, position, seq LIMIT :most) LIMIT :most"""

_FILES: Final = """(SELECT group_concat(printf('[%s,%s,%s%s]', json_quote(kind), json_quote(a.file),
    json_quote(bytes), iif(s.url IS NULL, '', ',' || json_quote(s.url))))
    FROM artifacts a LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)
    WHERE a.job = seq AND a.generation = jobs.generation
    AND (a.saved_at IS NOT NULL OR s.url IS NOT NULL)) AS files"""
"""In the order of the primary key, which ends in n."""

_CELLS: Final = f"""SELECT in_manifest, position, seq, id, row, model, state, inputs, meta, {_FILES},
    attempts, cost_usd, submitted_at, completed_at, saved_at, error_code, error_message, request_id
    FROM ({_CHOSEN}) CROSS JOIN jobs USING (seq)"""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

_MAY_BE_INEXACT: Final = re.compile(r"[0-9]{16}")

_UNSAFE: Final = re.compile("[<>&\x7f-\x9f\u2028\u2029]")


Sign = Callable[[str], str]


class Embedded(Struct, frozen=True, kw_only=True):
    """The jobs of the page, as JSON arrays in manifest order."""

    jobs: list[str]
    models: list[str]
    """What a job's ``model`` counts from 0."""
    left_out: int


def embed_jobs(
    store: Store,
    go_on: Callable[[], bool] = lambda: True,
    *,
    most: int = MAX_JOBS,
    most_bytes: int = MAX_BYTES,
    sign: Sign | None = None,
) -> Embedded:
    """Return what fits into the page.  Raises Interrupted as soon as *go_on* says no.

    *sign* gives a stored file an address to fetch it from, by its URL.
    """
    models: dict[str, int] = {}
    kept: list[tuple[tuple[bool, int, int], str]] = []
    left_bytes = most_bytes
    for job in store.connection.execute(_CELLS, {"half": most // 2, "most": most}):
        if not go_on():
            raise Interrupted
        text = _written(job, models, sign)
        left_bytes -= len(text) if text.isascii() else len(text.encode())
        if left_bytes < 0:
            break
        kept.append(((not job["in_manifest"], job["position"], job["seq"]), text))
    kept.sort()
    total = store.count("1")
    return Embedded(jobs=[text for _, text in kept], models=list(models), left_out=total - len(kept))


def inert_json(value: Json) -> str:
    """Return *value* as compact JSON that can stand inside any HTML element."""
    return _inert(_ENCODER.encode(value))


def _inert(text: str) -> str:
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair has no UTF-8
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(job: sqlite3.Row, models: dict[str, int], sign: Sign | None) -> str:
    """Return the values of FIELDS as inert JSON; the inputs are JSON in the ledger already."""
    files = job["files"] or ""
    if sign is not None:
        files = _signed(files, sign)
    return _inert(
        f"[{_quoted(job['id'])},{job['row']},{models.setdefault(job['model'], len(models))},"
        f'"{job["state"]}",{_copied(job["inputs"])},{_copied(job["meta"])},[{files}],'
        f"{job['attempts']},{_number(job['cost_usd'])},{_instant(job['submitted_at'])},"
        f"{_instant(job['completed_at'])},{_instant(job['saved_at'])},"
        f"{_quoted(job['error_code'])},{_quoted(_shortened(job['error_message']))},"
        f"{_quoted(job['request_id'])},{0 if job['in_manifest'] else 1}]"
    )


def _signed(files: str, sign: Sign) -> str:
    """Return *files* with an address behind the URL of each that is stored."""
    found = [[*file, sign(file[3])] if len(file) > 3 else file for file in json.loads(f"[{files}]")]
    return ",".join(map(_ENCODER.encode, found))


def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def _number(number: float | None) -> str:
    return "null" if number is None else repr(number)


def _copied(text: str) -> str:
    """Return the ledger's JSON, as it is where nothing in it is too long, too large or an escape."""
    if len(text) > LONGEST_TEXT or _MAY_BE_INEXACT.search(text):
        return _ENCODER.encode(_shortened(json.loads(text)))
    return _ENCODER.encode(json.loads(text)) if "\\u" in text else text


def _shortened(value: Any) -> Any:
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return f"{value[:LONGEST_TEXT]}…"
        case int() if abs(value) > EXACT_IN_BROWSERS:
            return str(value)
        case list():
            return [_shortened(one) for one in value]
        case dict():
            return {name: _shortened(one) for name, one in value.items()}
    return value


def _instant(instant: float | None) -> str:
    return "null" if instant is None else f"{instant:.1f}"
