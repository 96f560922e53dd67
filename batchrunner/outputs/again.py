"""A folder's jobs as a manifest again: JSON Lines that ``validate`` and ``run`` read as these very jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from .._types import Json
from ..ledger import Store
from ..ledger.images import file_paths
from ..staging.reference import with_addresses
from .lines import json_line

RESERVED: Final = ("id", "model", "meta", "input")

_JOBS: Final = """SELECT id, model, inputs, meta, next FROM jobs WHERE in_manifest AND {where}
    ORDER BY position, seq"""


def read_manifest(store: Store, where: str) -> Iterator[str]:
    """Yield a manifest line for each job that satisfies the SQL condition *where*, in manifest order.

    An edit that waits for its job is what the manifest says, so it is what is written.  A job that was taken
    out of the manifest stays out.  A local image is written as the whole path of its file: the lines may be
    put anywhere.
    """
    files = file_paths(store)
    for row in store.connection.execute(_JOBS.format(where=where)):
        job: dict[str, Any] = {key: json.loads(row[key]) for key in ("inputs", "meta")}
        job["model"] = row["model"]
        if row["next"] is not None:
            edited = json.loads(row["next"])
            job = {"model": edited["model"], **{key: json.loads(edited[key]) for key in ("inputs", "meta")}}
        inputs = with_addresses(job["inputs"], files) if files else job["inputs"]
        yield _line({"id": row["id"], "model": job["model"], **_inputs(inputs), **_meta(job["meta"])})


def _inputs(inputs: dict[str, Json]) -> dict[str, Json]:
    """Return the inputs by name, those whose names a manifest reads otherwise within ``input``."""
    plain = {name: value for name, value in inputs.items() if not _is_reserved(name)}
    rest: dict[str, Json] = {name: value for name, value in inputs.items() if _is_reserved(name)}
    return {**plain, **({"input": rest} if rest else {})}


def _is_reserved(name: str) -> bool:
    return name in RESERVED or name.startswith(("meta.", "input."))


def _meta(meta: dict[str, Json]) -> dict[str, Json]:
    return {"meta": meta} if meta else {}


def _line(row: dict[str, Json]) -> str:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character: only its escape keeps the input, and so the fingerprint
        return json.dumps(row)
    return json_line(row)
