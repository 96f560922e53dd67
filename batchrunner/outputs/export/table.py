"""A job as one flat row: our columns, and between them each input and note under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ..._types import Json
from ...ledger import Store
from ..columns import Column, cells, survey
from ..results import read_results

FIRST: Final = ("id", "row", "model", "status")

LAST: Final = (
    "file", "outputs", "error_code", "error_message", "service_code", "request_id", "attempts", "cost_usd",
    "submitted_at", "completed_at", "saved_at", "in_manifest",
)  # fmt: skip


class Table(Struct, frozen=True):
    """The rows of the jobs that satisfy a SQL condition."""

    store: Store
    where: str
    columns: list[Column]
    """Inputs and notes."""

    @property
    def names(self) -> list[str]:
        """Every column, in order."""
        return [*FIRST, *(column.name for column in self.columns), *LAST]

    def rows(self) -> Iterator[dict[str, Json]]:
        """Yield one row a job, with every column."""
        for line in read_results(self.store, self.where):
            yield _row(line, self.columns)


def table_of(store: Store, where: str) -> Table:
    """Return the table of the jobs that satisfy *where*; all of them are looked at for their columns."""
    return Table(store, where, survey(store, (*FIRST, *LAST), where))


def _row(line: dict[str, Any], columns: list[Column]) -> dict[str, Json]:
    error = line["error"] or {}
    outputs = line["outputs"]
    return {
        **{name: line[name] for name in FIRST},
        **cells(columns, line["inputs"], line["meta"]),
        "file": outputs[0]["file"] if outputs else None,
        "outputs": outputs,
        "error_code": error.get("code"),
        "error_message": error.get("message"),
        "service_code": error.get("service_code"),
        **{name: line[name] for name in LAST[LAST.index("request_id") :]},
    }
