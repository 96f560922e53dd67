"""The power fails at every point of a run, and the disk keeps only what was synced.

The rerun finds a ledger that knows every submission that may have left, and no name on a film whose bytes
are not there.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from .books import complaints, left_open, read_books
from .crash_points import Point
from .cuts import Cut
from .lives import Batch, Script
from .nurseries import Nurseries
from .roads import ROADS

pytestmark = pytest.mark.slow

P = Point

ROAD = ROADS["a plain run"]

ONCE = (
    P.FOLDER_MADE, P.LEDGER_OPENED, P.LOCK_NAMED, P.MANIFEST_TAKEN_IN, P.MANIFEST_COMMITTED, P.CHECKPOINT_DUE,
    P.CHECKPOINT_MADE, P.LEDGER_CLOSED, P.LOCK_RELEASED,
)  # fmt: skip
OFTEN = (
    P.INTENT_WRITTEN, P.INTENT_COMMITTED, P.SUBMISSION_TAKEN, P.ANSWER_RECEIVED, P.ID_COMMITTED,
    P.OUTPUTS_COMMITTED, P.PART_WRITTEN, P.PART_SYNCED, P.NAME_RESERVED, P.RENAMED, P.KEPT, P.SAVED_COMMITTED,
    P.REPORT_WRITTEN, P.REPORT_NAMED,
)  # fmt: skip
"""Points that a run passes for each job; the power fails at the third passing."""


@pytest.mark.parametrize("point", [*ONCE, *OFTEN], ids=lambda point: point.replace(" ", "_"))
def test_what_was_synced_is_enough_to_go_on(point: P, nurseries: Nurseries, tmp_path: Path) -> None:
    cases = [partial(_lose_power_and_go_on, nurseries, tmp_path / cut, point, cut) for cut in Cut]

    assert nurseries.at_once(cases) == [[] for _ in Cut]


def _lose_power_and_go_on(nurseries: Nurseries, home: Path, point: P, cut: Cut) -> list[str]:
    batch = Batch(nurseries=nurseries, home=home)
    ROAD.prepare(batch)
    nth = 1 if point in ONCE else 3
    killed = batch.live(*ROAD.words(batch), script=Script(die_at=point, nth=nth, power_cut=cut))
    assert killed.killed, killed
    shutil.rmtree(batch.folder, ignore_errors=True)
    if batch.lasting.exists():
        batch.lasting.rename(batch.folder)
    wrong = [f"after the cut: {what}" for what in complaints(batch, read_books(batch))]

    last = batch.run()

    books = read_books(batch)
    in_doubt = {job_id for job_id, state in books.states.items() if state == "unknown"}
    wrong += complaints(batch, books)
    wrong += [f"{job_id} is still open" for job_id in left_open(books)]
    wrong += [f"{job_id} is in doubt, and was not on the wire" for job_id in in_doubt - killed.on_the_wire]
    return wrong if last.code == (1 if in_doubt else 0) else [*wrong, f"exit code {last.code}: {last.err}"]
