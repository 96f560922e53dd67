"""Folders as a run leaves them, and what the real ``datasets`` library reads from them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from batchrunner._types import Job
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.dataset import write_data_set
from tests.builders import bring, nothing, take, the

EXTENSIONS = {"video": ".mp4", "image": ".png", "audio": ".wav"}

LOAD = """
import json, sys
import datasets
datasets.disable_progress_bars()
plain = {"video": datasets.Video(decode=False), "image": datasets.Image(decode=False)}
found = {}
for folder in sys.argv[1:]:
    loaded = datasets.load_dataset(folder)
    splits = list(loaded)
    data = loaded[splits[0]]
    types = {name: str(feature) for name, feature in data.features.items()}
    for name, feature in data.features.items():
        if name in plain and not isinstance(feature, datasets.Value):
            data = data.cast_column(name, plain[name])
    found[folder] = {"splits": splits, "types": types, "rows": data.to_list()}
print(json.dumps(found))
"""

READ_SHARDS = """
import sys
import webdataset
for sample in webdataset.WebDataset(sys.argv[1:], shardshuffle=False):
    print({name: value for name, value in sample.items() if name == "__key__" or name[:2] != "__"})
"""


def film_of(job_id: str, n: int) -> bytes:
    """Bytes that no other output has."""
    return f"film {n} of {job_id}".encode("utf-8", "surrogatepass")


def fill(
    folder: Path,
    jobs: Iterable[Job],
    *,
    kinds: dict[str, str] | None = None,
    outputs: int = 1,
    open_: int = 0,
) -> None:
    """Make the folder of a run of *jobs*, the last *open_* of them not run yet, with its data-set files."""
    jobs, kinds = list(jobs), kinds or {}
    folder.mkdir(parents=True, exist_ok=True)
    with closing(Store.open(folder / "ledger.sqlite")) as store:
        take(store, jobs)
        for job in jobs[: len(jobs) - open_]:
            bring(store, State.READY, job.id, outputs=outputs)
            shelve(store, folder, job.id, kinds.get(job.id, "video"))
        write_data_set(store, folder)


def shelve(store: Store, folder: Path, job_id: str, kind: str = "video") -> None:
    """Save every output of a ready job under its name, with bytes of its own."""
    entry = the(store, job_id)
    for output in store.artifacts(entry.seq, entry.generation):
        film = film_of(job_id, output.n)
        file = store.reserve(entry.seq, output.n, kind=kind, extension=EXTENSIONS[kind],
                             size_bytes=len(film), sha256="ab", taken=nothing)  # fmt: skip
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(film)
        store.file_saved(entry.seq, output.n, 4.0)


def samples_of(folder: Path) -> list[dict[str, Any]]:
    """Read a folder's tar shards with the ``webdataset`` library, in a process of its own."""
    shards = sorted(map(str, folder.glob("*.tar")))
    done = subprocess.run(
        [sys.executable, "-c", READ_SHARDS, *shards], capture_output=True, text=True, encoding="utf-8",
        timeout=100, check=True,
    )  # fmt: skip
    return [ast.literal_eval(line) for line in done.stdout.splitlines()]


def load(home: Path, *folders: Path) -> list[dict[str, Any]]:
    """Open each folder with ``datasets.load_dataset(FOLDER)``, offline, in a process of its own."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, folders)],
        env={**os.environ, **offline}, capture_output=True, text=True, encoding="utf-8", timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    return [found[str(folder)] for folder in folders]
