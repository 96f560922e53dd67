"""Which jobs did not work out, and why?  Grouped by state and error code, most first.

Only so much of each group is read that a person can take it in.
"""

from __future__ import annotations

from typing import Final

from ..causes import FailureGroup, NamedJob
from ..lifecycle import State
from .queries import Queries

MESSAGES: Final = 4
"""Different messages told of one group."""

ROWS: Final = 8
"""Jobs named of one group."""

_BAD: Final = f"""in_manifest AND (state IN ('{State.FAILED}', '{State.CANCELLED}', '{State.UNKNOWN}')
    OR (state IN ('{State.SUBMITTED}', '{State.READY}') AND error_code IS NOT NULL))"""

_SAME: Final = f"{_BAD} AND state = ? AND error_code IS ?"


def read_failures(ledger: Queries, *, rows: int = ROWS) -> list[FailureGroup]:
    """Return the groups of the manifest's jobs that failed, were cancelled, are in doubt or got stuck."""
    found = ledger.connection.execute(
        f"SELECT state, error_code, count(*) AS n FROM jobs WHERE {_BAD}"
        " GROUP BY state, error_code ORDER BY n DESC, state, error_code"
    ).fetchall()
    return [_group(ledger, State(row["state"]), row["error_code"], row["n"], rows) for row in found]


def _group(ledger: Queries, state: State, code: str | None, count: int, rows: int) -> FailureGroup:
    messages = ledger.connection.execute(
        f"SELECT error_message, count(*) AS n FROM jobs WHERE {_SAME} AND error_message IS NOT NULL"
        " GROUP BY error_message ORDER BY n DESC, error_message LIMIT ?",
        (state, code, MESSAGES),
    ).fetchall()
    (different,) = ledger.connection.execute(
        f"SELECT count(DISTINCT error_message) FROM jobs WHERE {_SAME}", (state, code)
    ).fetchone()
    jobs = ledger.connection.execute(
        f"SELECT id, row FROM jobs WHERE {_SAME} ORDER BY position, seq LIMIT ?", (state, code, rows)
    ).fetchall()
    return FailureGroup(
        state=state,
        code=code,
        count=count,
        messages=tuple((row["error_message"], row["n"]) for row in messages),
        more_messages=different - len(messages),
        jobs=tuple(NamedJob(id=row["id"], row=row["row"]) for row in jobs),
    )
