"""Make a folder look as if most of its jobs were done long ago, files and all.

    python -m benchmarks.programs.finish_jobs FOLDER COUNT

One job goes through the ledger's own steps, the others become like it; their files are empty, but there.
What a run's end remembers of the folders is remembered.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from batchrunner._types import Output, RequestId
from batchrunner.files.naming import Layout
from batchrunner.folder.presence import FEW, RACY_S, look_at_folders, remember
from batchrunner.ledger import Store
from batchrunner.ledger.files import LAYOUT
from batchrunner.ledger.loading import indexes_built_after
from batchrunner.lifecycle import State

_ALIKE: Final = (
    """INSERT INTO attempts (job, generation, number, intent_at, request_id, submitted_at, completed_at,
        outcome, cost_usd, ran_at_least_s, ran_at_most_s)
    SELECT j.seq, a.generation, a.number, intent_at, 'earlier-' || j.seq, a.submitted_at, a.completed_at,
        outcome, a.cost_usd, ran_at_least_s, ran_at_most_s FROM later j JOIN attempts a ON a.job = :first""",
    """WITH named AS MATERIALIZED (SELECT seq, made_file(id) AS name FROM later)
    INSERT INTO artifacts (job, generation, n, key, url, kind, file, file_key, bytes, sha256, saved_at)
    SELECT seq, generation, n, key, 'https://films.example.com/' || seq || '.mp4', kind, name, name, bytes,
        sha256, saved_at FROM named JOIN artifacts a ON a.job = :first""",
    """UPDATE jobs SET state = f.state, attempts = f.attempts, request_id = 'earlier-' || jobs.seq,
        submitted_at = f.submitted_at, completed_at = f.completed_at, saved_at = f.saved_at,
        cost_usd = f.cost_usd FROM jobs f WHERE f.seq = :first AND jobs.seq IN (SELECT seq FROM later)""",
)


def finish(store: Store, folder: Path, seq: int) -> None:
    """Lead one job through all steps."""
    now, link = time.time(), Output(key="video", url=f"https://films.example.com/{seq}.mp4")
    store.intend(seq, now)
    store.accepted(seq, RequestId(f"earlier-{seq}"), now)
    store.done(seq, (link,), 0.1, now, ran=(0.1, 0.2))
    file = store.reserve(
        seq, 1, kind="video", extension=".mp4", size_bytes=0, sha256="0" * 64, taken=lambda name: False
    )
    (folder / file).parent.mkdir(exist_ok=True)  # a large folder spreads its films
    (folder / file).touch()
    store.file_saved(seq, 1, now)


def made_file(folder: Path, layout: Layout, job_id: str) -> str:
    """Make the empty file of a job with a plain id, and return its name."""
    spread = f"/{sha256(job_id.encode()).hexdigest()[:2]}" if layout.sharded else ""
    name = f"videos{spread}/{job_id}.mp4"
    try:
        os.close(os.open(f"{folder}/{name}", os.O_CREAT | os.O_EXCL, 0o600))  # a million of them
    except FileNotFoundError:
        (folder / name).parent.mkdir()
        (folder / name).touch()
    return name


def main(folder: Path, count: int) -> None:
    (folder / "videos").mkdir(exist_ok=True)
    with closing(Store.open(folder / "ledger.sqlite")) as store:
        connection = store.connection
        make = partial(made_file, folder, Layout.parse(store.fact(LAYOUT)))
        connection.create_function("made_file", 1, make)
        with store.transaction():
            first, *_ = store.seqs(State.PENDING)
            finish(store, folder, first)
            connection.execute(
                "CREATE TEMP TABLE later AS SELECT seq, id FROM jobs"
                f" WHERE state = '{State.PENDING}' ORDER BY position LIMIT ?", (count - 1,),
            )  # fmt: skip
            with indexes_built_after(connection, "jobs"), indexes_built_after(connection, "artifacts"):
                for statement in _ALIKE:
                    connection.execute(statement, {"first": first})
        store.checkpoint()
        if count > FEW:
            time.sleep(RACY_S)
        remember(store, look_at_folders(folder, store))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
