"""A manifest that is as it was is not read again, and a plan is told without a copy where nothing changes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

import anyio
import pytest

from batchrunner.folder.folder import Folder
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.manifest import NamedManifest
from batchrunner.manifest.named import MANIFEST_FACT
from batchrunner.plan import load_jobs, prepare
from batchrunner.service import Service
from batchrunner.session.order import Order
from batchrunner.session.preparing import plan_only
from batchrunner.settings import Rerun, Settings
from tests.builders import MODEL, bring

ROWS = "id,text,images\n" + "".join(f"job-{n},a fox,https://images.example.com/{n}.png\n" for n in range(3))


@dataclass(slots=True, kw_only=True)
class CountedManifest(NamedManifest):
    """Counts how often its rows were asked for."""

    readings: list[str] = field(default_factory=list)

    def rows(self):
        self.readings.append(self.source)
        return NamedManifest.rows(self)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text(ROWS)
    return CountedManifest(source=str(path), model=MODEL)


@pytest.fixture
def folder(manifest, tmp_path):
    """A folder that took the manifest in and finished one of its jobs."""
    folder = Folder(tmp_path / "out")
    folder.create()
    with closing(Store.open(folder.ledger)) as store:
        with store.transaction():
            load_jobs(store, manifest.rows())
            store.set_fact(MANIFEST_FACT, manifest.record())
            prepare(store, Settings(), Rerun(), staged=True, size_of=lambda file: None, now=1.0)
        bring(store, State.SUCCEEDED, "job-1")
    (folder.path / "videos").mkdir()
    (folder.path / "videos/job-1.mp4").write_bytes(b"films")
    manifest.readings.clear()
    return folder


def planned(folder, manifest, **more):
    return anyio.run(
        plan_only, Order(folder=folder, manifest=manifest, service=Service(simulate=True), **more)
    )


def in_ledger(folder) -> dict[str, State]:
    with closing(Store.read_only(folder.ledger)) as store:
        return {entry.id: entry.state for entry in store.entries(*State)}


def test_an_unchanged_manifest_is_not_read_again(folder, manifest):
    plan = planned(folder, manifest)

    assert manifest.readings == []
    assert plan.reasons == {"done": 1, "new": 2}


def test_an_edited_manifest_is_read_and_its_edit_found(folder, manifest, tmp_path):
    (tmp_path / "jobs.csv").write_text(ROWS.replace("job-1,a fox", "job-1,an owl"))

    plan = planned(folder, manifest)

    assert len(manifest.readings) == 1
    assert [edit.id for edit in plan.edits] == ["job-1"]


def test_a_film_that_vanished_is_fetched_again_although_the_manifest_is_unchanged(folder, manifest):
    (folder.path / "videos/job-1.mp4").unlink()

    plan = planned(folder, manifest)

    assert (plan.reasons, manifest.readings) == ({"file_missing": 1, "new": 2}, [])
    assert in_ledger(folder)["job-1"] is State.SUCCEEDED  # only told


def test_a_wish_is_planned_on_a_copy_and_leaves_the_ledger_as_it_is(folder, manifest):
    plan = planned(folder, manifest, rerun=Rerun(redo=("job-1",)))

    assert plan.reasons == {"asked_for": 1, "new": 2}
    assert in_ledger(folder)["job-1"] is State.SUCCEEDED


def test_the_plan_from_the_ledger_is_the_plan_from_reading_everything(folder, manifest):
    first = planned(folder, manifest)
    with closing(Store.open(folder.ledger)) as store:
        store.set_fact(MANIFEST_FACT, None)

    assert planned(folder, manifest) == first
    assert len(manifest.readings) == 1
