"""A folder that ``datasets.load_dataset`` opens: films, ``metadata.jsonl`` and its card, and nothing else.

Films are hard links where the file system can (no bytes are copied, and ours stay ours), else copies.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ...files.disk import make_folder
from ...ledger import Store
from ...ledger.folding import source_of
from ..dataset import write_data_set
from ..lines import json_line
from ..results import read_results
from .subject import Exported, Options, film_path, saved_outputs


def write_folder(store: Store, folder: Path, to: Path, options: Options) -> Exported:
    """Fill *to* with the films of the jobs and what describes them."""
    jobs = files = 0
    for line in read_results(store, options.where):
        saved = saved_outputs(line)
        for output in saved:
            target = to / output["file"]
            for parent in reversed(target.relative_to(to).parents[:-1]):
                make_folder(to / parent)
            _link(film_path(folder, {**output, "file": source_of(store, output["file"])}), target)
            if options.sidecar:
                side = target.with_name(f"{target.name}.json")
                side.write_text(json_line(line) + "\n", "utf-8")
        jobs, files = jobs + bool(saved), files + len(saved)
    write_data_set(store, to, where=options.where, has_strangers=options.sidecar)
    return Exported(jobs=jobs, files=files)


def _link(film: Path, target: Path) -> None:
    try:
        os.link(film, target)
    except OSError:
        shutil.copyfile(film, target)
