"""What is exported: which jobs, which of their files, and what came of it.  Shared by all formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from ...errors import FolderUnusable
from ...lifecycle import State


class Options(Struct, frozen=True, kw_only=True):
    """Which jobs, and how shards and films are laid out."""

    states: tuple[State, ...] = (State.SUCCEEDED,)
    """Jobs in one of these states; none: all jobs."""
    shard_bytes: int = 1 << 30
    """A tar shard ends with the job that makes it this long."""
    shard_jobs: int = 10_000
    """Jobs in one tar shard."""
    sidecar: bool = False
    """Put a JSON file beside each film (hf only: a tar shard has them anyway)."""

    @property
    def where(self) -> str:
        """The SQL condition for the jobs."""
        listed = ", ".join(f"'{state}'" for state in self.states)
        return f"state IN ({listed})" if self.states else "1"


class Exported(Struct, frozen=True, kw_only=True):
    """What was written."""

    jobs: int
    files: int = field(default=0)
    """Films and pictures, for a format that holds them."""


def saved_outputs(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return those outputs of a results line that are files.

    Raises FolderUnusable for one that is in the store only.
    """
    for output in line["outputs"]:
        if output["file"] is None and "store" in output:
            raise FolderUnusable(
                f"{output['store']} is in the store only; nothing was exported",
                hint="this format holds the films, so they must be here; csv, jsonl and parquet name them",
            )
    return [output for output in line["outputs"] if output["file"]]


def film_path(folder: Path, output: Mapping[str, object]) -> Path:
    """Return where the film is.  Raises FolderUnusable when it is not there as the ledger has it."""
    path = folder / str(output["file"])
    if not path.is_file() or path.stat().st_size != output["bytes"]:
        problem = "not as long as it was" if path.is_file() else "missing"
        raise FolderUnusable(
            f"{output['file']} is {problem}; nothing was exported",
            hint="`batchrunner verify DIR --repair` fetches it again, without paying",
        )
    return path
