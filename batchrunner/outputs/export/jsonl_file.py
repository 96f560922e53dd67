"""JSON Lines: the very lines of ``results.jsonl``, of the jobs that were asked for."""

from __future__ import annotations

from pathlib import Path

from ...files.disk import replaced_file
from ...ledger import Store
from ..lines import json_line
from ..results import read_results
from .subject import Exported, Options


def write_jsonl(store: Store, folder: Path, to: Path, options: Options) -> Exported:
    """Write one line a job."""
    jobs = 0
    with replaced_file(to) as file:
        for line in read_results(store, options.where):
            file.write(json_line(line) + "\n")
            jobs += 1
    return Exported(jobs=jobs)
