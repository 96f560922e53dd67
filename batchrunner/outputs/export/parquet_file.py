"""Parquet, by pyarrow: a typed column for each input and note, outputs as a list, instants as instants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ..._types import Json
from ...errors import Usage
from ...files.disk import move_durably
from ...ledger import Store
from ..columns import Column, Kind
from .subject import Exported, Options
from .table import Table, table_of

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise Usage(
        f"export --format parquet needs pyarrow ({missing})", hint="pip install 'batchrunner[export]'"
    ) from None

ROWS_AT_ONCE: Final = 5_000
"""Rows of one row group: what is held in memory."""

INSTANTS: Final = ("submitted_at", "completed_at", "saved_at")


def write_parquet(store: Store, folder: Path, to: Path, options: Options) -> Exported:
    """Write one row a job."""
    table = table_of(store, options.where)
    schema, jobs = _schema(table), 0
    part = to.with_name(f".{to.name}.part")
    try:
        with _private(part) as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for rows in _batches(table):
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    jobs += len(rows)
            file.flush()
            os.fsync(file.fileno())
        move_durably(part, to)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Exported(jobs=jobs)


def _private(path: Path) -> Any:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")  # noqa: PTH123 (a handle)


def _batches(table: Table) -> Iterator[list[dict[str, Any]]]:
    rows = (_instants_read(row) for row in table.rows())
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


def _instants_read(row: dict[str, Json]) -> dict[str, Any]:
    read = {name: datetime.fromisoformat(str(row[name])) if row[name] else None for name in INSTANTS}
    whole: dict[str, Any] = _without_halves({**row, **read})
    return whole


def _without_halves(value: Any) -> Any:
    """Replace half characters (a lone surrogate out of JSON), which have no UTF-8."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case list():
            return [_without_halves(item) for item in value]
        case dict():
            return {name: _without_halves(item) for name, item in value.items()}
        case _:
            return value


def _schema(table: Table) -> Any:
    text, whole, instant = pa.string(), pa.int64(), pa.timestamp("ms", tz="UTC")
    output = pa.struct([("file", text), ("kind", text), ("bytes", whole), ("sha256", text), ("url", text)])
    own = {
        "id": text, "row": whole, "model": text, "status": text,
        "file": text, "outputs": pa.list_(output), "error_code": text, "error_message": text,
        "service_code": whole, "request_id": text, "attempts": whole, "cost_usd": pa.float64(),
        **dict.fromkeys(INSTANTS, instant), "in_manifest": pa.bool_(),
    }  # fmt: skip
    typed = {**own, **{column.name: _type(column) for column in table.columns}}
    return pa.schema([(name, typed[name]) for name in table.names])


def _type(column: Column) -> Any:
    types = {
        Kind.TEXT: pa.string(),
        Kind.JSON: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
    }
    one = types[column.kind]
    return pa.list_(one) if column.is_list else one
