"""SIGKILL right before and right after every kind of answer; then the same command again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..cli.acts import FILM, accepts_and, hangs_up, usual
from ..cli.command import Batch
from ..cli.fake_service import FakeService
from .books import assert_books_agree
from .victim import Victim

JOBS = ("fox", "owl", "cat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A batch whose process was killed at one point and run again."""

    batch: Batch
    fake: FakeService
    died_with: int
    again: int


def half_a_film(exchange):
    exchange.start(200, {"Content-Length": str(len(FILM)), "ETag": '"v1"', "Accept-Ranges": "bytes"})
    exchange.write(FILM[:1500])


def before(act):
    return lambda victim: victim.dies_before(act)


def after(act):
    return lambda victim: victim.dies_after(act)


POINTS = {
    "the catalogue is asked": ("model", None, 0, before(hangs_up)),
    "the catalogue has answered": ("model", None, 0, after(usual)),
    "the first submission arrived": ("submit", "fox", 0, before(hangs_up)),
    "the first submission is accepted, not answered": ("submit", "fox", 0, before(accepts_and(hangs_up))),
    "the first submission is answered": ("submit", "fox", 0, after(usual)),
    "a later submission arrived": ("submit", "owl", 0, before(hangs_up)),
    "a later submission is accepted, not answered": ("submit", "owl", 0, before(accepts_and(hangs_up))),
    "a later submission is answered": ("submit", "owl", 0, after(usual)),
    "the first status is asked": ("status", "fox", 0, before(usual)),
    "the first status is answered": ("status", "fox", 0, after(usual)),
    "the second status is answered": ("status", "owl", 1, after(usual)),
    "the last status is answered": ("status", "cat", 2, after(usual)),
    "the result is asked": ("result", "fox", 0, before(usual)),
    "the result is answered": ("result", "fox", 0, after(usual)),
    "a later result is answered": ("result", "cat", 0, after(usual)),
    "the film is asked for": ("film", "fox", 0, before(usual)),
    "half the film has come": ("film", "owl", 0, after(half_a_film)),
    "the whole film has come": ("film", "fox", 0, after(usual)),
    "the last film has come": ("film", "cat", 0, after(usual)),
}


def kill_at(point: str, home: Path) -> Swept:
    """Run until *point*, where the process dies, then run again."""
    endpoint, text, skip, killing = POINTS[point]
    victim = Victim()
    with FakeService(looks_until_done=2) as fake:
        batch = Batch(home=home, fake=fake)
        batch.write(*JOBS)
        fake.script(endpoint, *[usual] * skip, killing(victim), text=text)
        victim.process = batch.start_run("--concurrency", 1)
        victim.process.communicate(timeout=60)
        return Swept(batch=batch, fake=fake, died_with=victim.process.returncode, again=batch.run().code)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Swept]]]:
    """Every point, each in a folder of its own, a few at once."""
    with ThreadPoolExecutor(3) as workers:
        yield {point: workers.submit(kill_at, point, tmp_path_factory.mktemp("point")) for point in POINTS}


@pytest.mark.parametrize("point", POINTS)
def test_killed_when(sweep, point):
    swept = sweep[point].result()

    posts_one_by_one = 1 if POINTS[point][0] in ("submit", "result", "film") else 0
    assert swept.died_with == -9
    assert swept.again == (1 if swept.batch.states.get("unknown") else 0)
    assert_books_agree(swept.batch, swept.fake, doubts=posts_one_by_one)


def test_a_doubt_after_a_crash_is_held_by_every_further_run(batch, fake, victim):
    fake.script("submit", victim.dies_before(accepts_and(hangs_up)), text="owl")
    batch.write(*JOBS)
    victim.process = batch.start_run("--concurrency", 1)
    victim.process.communicate(timeout=60)

    codes = [batch.run().code for _ in range(3)]

    assert codes == [1, 1, 1]
    assert batch.states == {"succeeded": 2, "unknown": 1}
    assert fake.paid == dict.fromkeys(JOBS, 1)


def test_killed_while_a_film_comes_leaves_nothing_half_written_under_a_final_name(batch, fake, victim):
    fake.script("film", victim.dies_after(half_a_film))
    batch.write("fox")
    victim.process = batch.start_run()
    victim.process.communicate(timeout=60)

    named = [path.name for path in (batch.folder / "videos").glob("*")]

    assert named == []
    assert batch.run().code == 0
    assert_books_agree(batch, fake, doubts=0)


def test_a_redo_that_is_killed_half_way_and_typed_again_pays_once(batch, fake, victim):
    batch.write(*JOBS)
    batch.run()
    fake.script("result", victim.dies_after(usual), text="owl")
    victim.process = batch.start_run("--redo", "*", "--concurrency", 1)
    victim.process.communicate(timeout=60)

    outcome = batch.run("--redo", "*", "--concurrency", 1)

    assert outcome.code in (0, 1)
    assert set(fake.paid.values()) <= {1, 2}
    assert fake.posts() <= 2 * len(JOBS)
