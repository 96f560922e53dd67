"""The commands that are killed: what is there before each, its words, and which points it passes.

Every command can be given again after its death; `reach_the_end` gives it again, and then whatever a person
would type next, until nothing is open.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from .books import left_open, read_books
from .crash_points import Point
from .lives import Batch, Life, Script

P = Point

JOBS = tuple(f"job-{number}" for number in range(6))
SLOW = {"service_time_s": 20.0, "slots": 1, "spread": 0.0}
"""One request at a time, and each takes long: the others wait in line."""

ROUGH_JOBS = ("fine", "throttled", "refused", "lost", "fails", "dead", "spoiled", "gone", "broken")
ROUGH = (
    "submit throttled match=throttled",
    "submit refused match=refused times=always",
    "submit close accepted=yes match=lost times=always",
    "result failed match=fails times=always",
    "file dead match=dead",
    "file zero-tail size=3000 match=spoiled",
    "status cancelled match=gone times=always",
    "result cancelled match=gone times=always",
    "file answer status=500 body=empty match=broken times=6",
)
"""One kind of bad weather for each job; only `fails` may be paid for more than once."""


def _nothing(batch: Batch) -> None:
    batch.write(*JOBS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One command, from its preparation to the points on its way."""

    points: tuple[P, ...]
    words: Callable[[Batch], list[str]] = lambda batch: batch.run_command("--concurrency", 3)
    prepare: Callable[[Batch], None] = _nothing
    script: Script = field(default_factory=Script)
    may_be_paid: Mapping[str, int] = field(default_factory=dict)
    steady: bool = True
    """False where the end depends on how far the service had come: then only the two books must agree."""

    def reach_the_end(self, batch: Batch) -> Life:
        """Give the command again after its death, then ``run`` in fair weather until nothing is open.

        Return the last life.
        """
        life = batch.live(*self.words(batch), script=replace(self.script, interrupt_at=None))
        for _ in range(3):
            if not left_open(read_books(batch)):
                break
            life = batch.run("--concurrency", 3)
        return life


def _finished(batch: Batch) -> None:
    batch.write(*JOBS)
    assert batch.run("--concurrency", 3).code == 0


def _finished_then_changed(batch: Batch) -> None:
    """One film is gone, one row is edited."""
    _finished(batch)
    (batch.folder / "videos/job-1.mp4").unlink()
    batch.write(*JOBS, job_2=7)


def _spoiled_films(batch: Batch) -> None:
    _finished(batch)
    for name in ("job-3", "job-4"):
        path = batch.folder / f"videos/{name}.mp4"
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def _half_submitted(batch: Batch) -> None:
    batch.write(*JOBS)
    batch.run("--submit-only", "--limit", 4, "--concurrency", 4, script=Script(service=SLOW))


def _three_doubts(batch: Batch) -> None:
    batch.write(*JOBS[:3])
    batch.run("--concurrency", 1, script=Script(faults=("submit close accepted=yes times=3",)))


def _attach(batch: Batch) -> list[str]:
    by_text = {text: request_id for request_id, text in read_books(batch).accepted}
    return ["resolve", str(batch.folder), "job-1", "--request-id", by_text["job-1"]]


def _word(batch: Batch, *words: str) -> list[str]:
    return [words[0], str(batch.folder), *words[1:]]


ROADS: dict[str, Road] = {
    "a plain run": Road(
        points=(
            P.FOLDER_MADE, P.LOCKED, P.LEDGER_OPENED, P.LOCK_NAMED, P.MANIFEST_STAGED, P.MANIFEST_TAKEN_IN,
            P.MANIFEST_COMMITTED, P.INTENT_WRITTEN, P.INTENT_COMMITTED, P.SUBMISSION_LEAVING,
            P.SUBMISSION_TAKEN, P.ANSWER_RECEIVED, P.ID_WRITTEN, P.ID_COMMITTED, P.LOOK_LEAVING,
            P.LOOK_ANSWERED, P.RESULT_LEAVING, P.RESULT_ANSWERED, P.OUTPUTS_WRITTEN, P.OUTPUTS_COMMITTED,
            P.DOWNLOAD_LEAVING, P.DOWNLOAD_ANSWERED, P.PART_HALF_WRITTEN, P.PART_WRITTEN, P.PART_CHECKED,
            P.PART_SYNCED, P.NAME_WRITTEN, P.NAME_RESERVED, P.RENAMED, P.KEPT, P.SAVED_WRITTEN,
            P.SAVED_COMMITTED, P.RESULTS_HALF_WRITTEN, P.REPORT_WRITTEN, P.REPORT_NAMED, P.CHECKPOINT_DUE,
            P.CHECKPOINT_MADE, P.LEDGER_CLOSED, P.LOCK_RELEASED,
        ),
    ),
    "a run in bad weather": Road(
        points=(
            P.TURNED_AWAY_WRITTEN, P.TURNED_AWAY_COMMITTED, P.REFUSAL_WRITTEN, P.REFUSAL_COMMITTED,
            P.DOUBT_WRITTEN, P.DOUBT_COMMITTED, P.FAILURE_WRITTEN, P.FAILURE_COMMITTED, P.END_WRITTEN,
            P.END_COMMITTED, P.CANCELLED_WRITTEN, P.CANCELLED_COMMITTED, P.PART_REJECTED, P.LINK_WRITTEN,
            P.LINK_COMMITTED, P.NOTE_WRITTEN, P.NOTE_COMMITTED,
        ),
        prepare=lambda batch: batch.write(*ROUGH_JOBS),
        words=lambda batch: batch.run_command("--concurrency", 4, "--max-attempts", 2),
        script=Script(faults=ROUGH),
        may_be_paid={"fails": 2},
    ),
    "a redo, an edit and a lost film": Road(
        points=(
            P.RERUN_WRITTEN, P.RERUN_COMMITTED, P.EDIT_WRITTEN, P.MISSING_WRITTEN, P.MISSING_COMMITTED,
            P.SUPERSEDED_MOVED, P.SUPERSEDED_WRITTEN, P.SUPERSEDED_COMMITTED,
        ),
        prepare=_finished_then_changed,
        words=lambda batch: batch.run_command("--redo", "job-0"),
        may_be_paid={"job-0": 2, "job-2": 2},
    ),
    "a repair": Road(
        points=(P.FLAWED_SET_ASIDE,),
        prepare=_spoiled_films,
        words=lambda batch: _word(batch, "verify", "--repair"),
    ),
    "a cancel": Road(
        points=(
            P.UNSENT_CANCEL_WRITTEN, P.UNSENT_CANCEL_COMMITTED, P.CANCEL_LEAVING, P.CANCEL_ANSWERED,
        ),
        prepare=_half_submitted,
        steady=False,
        words=lambda batch: _word(batch, "cancel"),
        script=Script(service=SLOW),
    ),
    "a Ctrl-C that takes back": Road(
        points=(P.TAKE_BACK_WRITTEN, P.TAKE_BACK_COMMITTED),
        words=lambda batch: batch.run_command("--concurrency", 3, "--on-interrupt", "cancel-queued"),
        script=Script(service=SLOW, interrupt_at=P.LOOK_LEAVING),
        steady=False,
    ),
    "a word on a doubt: its id": Road(
        points=(P.ATTACH_WRITTEN, P.ATTACH_COMMITTED), prepare=_three_doubts, words=_attach
    ),
    "a word on a doubt: not accepted": Road(
        points=(P.RESUBMIT_WRITTEN, P.RESUBMIT_COMMITTED),
        prepare=_three_doubts,
        words=lambda batch: _word(batch, "resolve", "job-1", "--not-accepted"),
        may_be_paid={"job-1": 2},
    ),
    "a word on a doubt: given up": Road(
        points=(P.GIVE_UP_WRITTEN, P.GIVE_UP_COMMITTED),
        prepare=_three_doubts,
        words=lambda batch: _word(batch, "resolve", "job-1", "--give-up"),
    ),
}  # fmt: skip

CASES = [(name, point) for name, road in ROADS.items() for point in road.points]


def all_points() -> set[P]:
    return set(chain.from_iterable(road.points for road in ROADS.values()))


def copy_of(batch: Batch, name: str) -> Batch:
    """Return the batch as it is now, somewhere else."""
    other = Batch(nurseries=batch.nurseries, home=batch.home.with_name(name))
    shutil.copytree(batch.home, other.home, dirs_exist_ok=True)
    return other
