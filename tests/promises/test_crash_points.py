"""A process killed at every named point, at its first, a middle and its last passing, then run again.

However it died: no prompt is accepted twice, no accepted request is forgotten, nothing half-written has a
final name, a person is asked only about submissions that were on the wire, and the end is that of a run that
nobody disturbed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from batchrunner.errors import Exit
from batchrunner.folder.folder import Folder
from batchrunner.folder.verification import verify

from .books import Books, complaints, half_named, left_open, read_books
from .crash_points import Point
from .lives import Batch, Life
from .nurseries import Nurseries
from .roads import CASES, ROADS, Road, all_points, copy_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """A road as it is when nobody is killed on it."""

    before: Batch
    """The folder before the command; copied for each case."""
    life: Life
    last: Life
    end: Books


@pytest.fixture(scope="module")
def undisturbed(
    nurseries: Nurseries, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Undisturbed]:
    """Walk a road once, without a crash, when it is first asked for."""
    walked: dict[str, Undisturbed] = {}

    def walk(name: str) -> Undisturbed:
        if name not in walked:
            road = ROADS[name]
            before = Batch(nurseries=nurseries, home=tmp_path_factory.mktemp("road") / "before")
            road.prepare(before)
            batch = copy_of(before, "undisturbed")
            life = batch.live(*road.words(batch), script=road.script)
            assert not life.killed, life
            last = road.reach_the_end(batch)
            walked[name] = Undisturbed(before=before, life=life, last=last, end=read_books(batch))
            assert not left_open(walked[name].end)
        return walked[name]

    return walk


def test_every_point_is_on_a_road() -> None:
    assert all_points() == set(Point)


@pytest.mark.parametrize(("name", "point"), CASES, ids=lambda value: str(value).replace(" ", "_"))
def test_killed_there_and_run_again_it_ends_as_if_nothing_had_happened(
    name: str, point: Point, undisturbed: Callable[[str], Undisturbed], nurseries: Nurseries
) -> None:
    road, walked = ROADS[name], undisturbed(name)
    passings = walked.life.passes.get(point, 0)
    assert passings, f"{name} does not pass {point!r}"
    chosen = sorted({1, (passings + 1) // 2, passings})

    found = nurseries.at_once([partial(_die_and_go_on, road, walked, point, nth) for nth in chosen])

    assert found == [[] for _ in chosen]


def _die_and_go_on(road: Road, walked: Undisturbed, point: Point, nth: int) -> list[str]:
    """Kill at the *nth* passing of *point*, walk on to the end, and return what is wrong."""
    batch, killed = _killed(road, walked, point, nth)
    wrong = [f"after the kill: {what}" for what in {*half_named(batch)} - {*half_named(walked.before)}]

    last = road.reach_the_end(batch)

    books = read_books(batch)
    wrong += complaints(batch, books, may_be_paid=road.may_be_paid)
    wrong += [f"{job_id} is still open" for job_id in left_open(books)]
    wrong += _differences(walked.end, books, killed.on_the_wire) if road.steady else []
    wrong += [f"{flaw.file}: {flaw.problem}" for flaw in verify(Folder(batch.folder)).flaws]
    if last.code not in {walked.life.code, walked.last.code, Exit.SOME_FAILED}:
        wrong.append(f"exit code {last.code} instead of {walked.last.code}: {last.err}")
    return wrong


def _killed(road: Road, walked: Undisturbed, point: Point, nth: int) -> tuple[Batch, Life]:
    """Kill a run on a copy of the road's beginning; where it has fewer passings this time, at the last."""
    asked = nth
    while nth:
        batch = _beginning(road, walked, f"{point.name}-{asked}-{nth}")
        killed = batch.live(*road.words(batch), script=replace(road.script, die_at=point, nth=nth))
        if killed.killed:
            return batch, killed
        nth = min(nth - 1, killed.passes.get(point, 0))
    raise AssertionError(f"{point!r} was not passed: {killed}")


def _beginning(road: Road, walked: Undisturbed, name: str) -> Batch:
    """Return a folder as the road begins; where the service's progress counts, a fresh one."""
    if road.steady:
        return copy_of(walked.before, name)
    batch = Batch(nurseries=walked.before.nurseries, home=walked.before.home.with_name(name))
    road.prepare(batch)
    return batch


def _differences(expected: Books, found: Books, on_the_wire: frozenset[str]) -> list[str]:
    """Compare two ends; a job whose submission was on the wire may be in doubt instead."""
    wrong = []
    for job_id, row in expected.rows.items():
        other = found.rows.get(job_id)
        in_doubt = other is not None and other.state == "unknown" and job_id in on_the_wire
        if other != row and not in_doubt:
            wrong.append(f"{row} was expected, not {other}")
    return wrong
