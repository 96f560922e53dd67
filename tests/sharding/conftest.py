"""A folder in shards as runs leave it, without a run: ledgers led to their states, films beside them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from batchrunner._types import Job
from batchrunner.folder.folder import Folder
from batchrunner.folder.ownership import owned
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.plan import load_jobs, prepare
from batchrunner.settings import Rerun, Settings
from batchrunner.sharding import Shard
from tests.builders import a_job, bring
from tests.cli.conftest import batch, fake

__all__ = ["batch", "fake"]

FILM = Path(__file__).parents[2] / "batchrunner/simulator/tiny.mp4"

STATES = [State.SUCCEEDED, State.SUCCEEDED, State.PENDING, State.SUBMITTED, State.READY, State.FAILED,
          State.UNKNOWN, State.SUBMITTING, State.CANCELLED]  # fmt: skip


def fill(whole: Folder, shard: Shard, wanted: Mapping[str, State], *, name: str = "{id}") -> None:
    """Let *shard* take in a manifest of all jobs of *wanted*, and lead its own to their states."""
    jobs = [a_job(job_id, row=row, seed=row) for row, job_id in enumerate(wanted, start=2)]
    with owned(whole.of_shard(shard)) as store:
        take_in(store, jobs, shard)
        store.set_fact("layout", f'{{"pattern": "{name}", "sharded": false}}' if name != "{id}" else None)
        for job_id, state in wanted.items():
            if shard.holds(job_id):
                bring(store, state, job_id)
        save_films(store, whole.of_shard(shard).path)


def take_in(store: Store, jobs: list[Job], shard: Shard) -> None:
    with store.transaction():
        load_jobs(store, jobs, shard=shard)
        prepare(store, Settings(), Rerun(), staged=True, shard=shard, size_of=lambda file: 1, now=1.0)
        store.set_fact("origin", "https://films.example.com")


def save_films(store: Store, folder: Path) -> None:
    """Put a film where the ledger has one, and its hash into the ledger."""
    digest = hashlib.sha256(FILM.read_bytes()).hexdigest()
    for (file,) in store.connection.execute(
        "SELECT file FROM artifacts WHERE saved_at IS NOT NULL"
    ).fetchall():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FILM, folder / file)
    store.connection.execute("UPDATE artifacts SET bytes = ?, sha256 = ? WHERE saved_at IS NOT NULL",
                             (FILM.stat().st_size, digest))  # fmt: skip


@pytest.fixture(scope="session")
def mixed() -> dict[str, State]:
    """Jobs in every state, several in each of three shards."""
    return {f"job-{number}": STATES[number % len(STATES)] for number in range(4 * len(STATES))}


@pytest.fixture
def whole(tmp_path: Path, mixed: dict[str, State]) -> Folder:
    """A folder whose three shards have stopped half-way."""
    folder = Folder(tmp_path / "out")
    for index in (1, 2, 3):
        fill(folder, Shard(index, 3), mixed)
    return folder
