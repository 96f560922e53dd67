"""Every way the simulator knows to spoil a film, over a real socket, through the whole command.

A spoiled film never ends as succeeded; it ends well once the trouble stops, and stays ready (paid, and to be
fetched by a later run) when it does not.  Whatever the bytes do, nothing is submitted a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from batchrunner.simulator.fault_text import PRESETS
from batchrunner.simulator.faults import KINDS, Do
from batchrunner.simulator.routes import Endpoint

from .books import Books, complaints, read_books
from .films import film_of
from .lives import Batch
from .nurseries import Nurseries

HARMLESS = {
    "late": "late seconds=1",
    "gzip": "gzip",
    "trickle": "trickle rate=2000",
    "ignored range": "ignore-range",
}
"""These bring the right bytes in an unusual way."""

SPOILING = {
    "server error": "answer status=500",
    "forbidden": "answer status=403 body=html",
    "throttled": "throttled",
    "unavailable": "unavailable",
    "page with 200": "html",
    "nothing with 200": "empty",
    "torn JSON with 200": "cut-json",
    "JSON with 200": "answer status=200 body=object",
    "text with 200": "answer status=200 body=text",
    "huge JSON with 200": "huge size=3000000",
    "no content": "answer status=204 body=empty",
    "redirect into nowhere": "answer status=302 body=empty to=/nowhere",
    "redirect to itself": "answer status=302 body=empty to=?again",
    "redirect to a file": "answer status=302 body=empty to=file:///etc/hostname",
    "closed": "close",
    "reset": "reset",
    "silent": "hang",
    "cut at once, closed": "cut size=0",
    "cut at once, reset": "cut size=0 ending=reset",
    "cut at once, stalled": "cut size=0 ending=stall",
    "cut at once, chunked": "cut size=0 framing=chunked",
    "without its last chunk, closed": "cut size=900 framing=chunked",
    "without its last chunk, reset": "cut size=900 framing=chunked ending=reset",
    "cut, no length, closed": "cut size=2000 framing=close",
    "cut to nothing, no length": "cut size=0 framing=close",
    "cut to one byte, no length": "cut size=1 framing=close",
    "cut in the last box, no length": f"cut size={len(film_of('')) + 4} framing=close",
    "zeroed quarter": "zero-tail",
    "zeroed whole": "zero-tail size=1000000",
    "longer": "longer",
    "longer, chunked": "longer framing=chunked",
    "longer, no length": "longer size=64 framing=close",
    "dead link": "dead",
    "dead link, 403": "dead status=403",
}

GONE_ON_FROM = {
    "cut, by length, closed": "cut size=900",
    "cut, by length, reset": "cut size=900 ending=reset",
    "cut, by length, stalled": "cut size=900 ending=stall",
}
"""Each of these transfers is cut, and the next one goes on where it stopped: four pieces make a film."""

WHOLE_AGAIN = {"range ignored": "ignore-range"}
"""After a cut, everything once more: a whole film."""

AFTER_A_CUT = {
    "another file's range": "other-etag",
    "range not satisfiable": "unsatisfiable",
}
"""What goes wrong when a transfer that was cut is to be gone on from."""

CASES = {**HARMLESS, **SPOILING, **GONE_ON_FROM, **WHOLE_AGAIN, **AFTER_A_CUT}
JOBS = {name: f"film{number:02}-" for number, name in enumerate(CASES)}
FLAGS = ("--concurrency", 50, "--downloads", 50, "--http-timeout", 30)


def _faults(times: str) -> list[str]:
    """One fault for each job's film; *times* is how often it strikes."""
    lines = []
    for name, fault in CASES.items():
        if name in {**WHOLE_AGAIN, **AFTER_A_CUT}:
            lines.append(f"file {fault} match={JOBS[name]} times={times}")
            lines.append(f"file cut size=900 match={JOBS[name]} times={times}")
        else:
            lines.append(f"file {fault} match={JOBS[name]} times={times}")
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What became of every film."""

    once: Books
    """After a run in which each trouble struck once or twice."""
    always: Books
    """After a run in which it did not stop."""
    always_code: int
    later: Books
    """After one more run, without any trouble."""
    wrong: list[str]


@pytest.fixture(scope="module")
def runs(nurseries: Nurseries, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    passing = _batch(nurseries, tmp_path_factory, "passing")
    with passing.serving(*_faults("2")) as url:
        assert _run(passing, url) == 0
    lasting = _batch(nurseries, tmp_path_factory, "lasting")
    with lasting.serving(*_faults("always")) as url:
        code = _run(lasting, url)
        port = url.rpartition(":")[2]
    always = read_books(lasting)
    wrong = [*complaints(passing, read_books(passing)), *complaints(lasting, always)]
    with lasting.serving(flags=("--port", port)) as url:
        assert _run(lasting, url) == 0
    later = read_books(lasting)
    wrong += complaints(lasting, later)
    return Runs(once=read_books(passing), always=always, always_code=code, later=later, wrong=wrong)


def _batch(nurseries: Nurseries, factory: pytest.TempPathFactory, name: str) -> Batch:
    batch = Batch(nurseries=nurseries, home=factory.mktemp("bytes") / name)
    batch.write(*JOBS.values())
    return batch


def _run(batch: Batch, url: str) -> int:
    return batch.live("run", batch.manifest, "-o", batch.folder, "--base-url", url, "--progress", "none",
                      "--poll-interval", 0.5, *FLAGS).code  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_once_the_trouble_stops_the_film_is_there_to_the_byte(name: str, runs: Runs) -> None:
    assert runs.once.states[JOBS[name]] == "succeeded"


@pytest.mark.parametrize("name", [*SPOILING, *AFTER_A_CUT])
def test_while_it_lasts_the_job_stays_ready_with_its_error(name: str, runs: Runs) -> None:
    row = runs.always.rows[JOBS[name]]

    assert row.state == "ready"
    assert row.error_code in {"download_failed", "bad_output"}
    assert row.files == ()


@pytest.mark.parametrize("name", [*HARMLESS, *GONE_ON_FROM, *WHOLE_AGAIN])
def test_the_right_bytes_are_taken_however_they_come(name: str, runs: Runs) -> None:
    assert runs.always.states[JOBS[name]] == "succeeded"


def test_films_that_keep_failing_are_open_work(runs: Runs) -> None:
    assert runs.always_code == 75


def test_a_later_run_fetches_them_all(runs: Runs) -> None:
    assert set(runs.later.states.values()) == {"succeeded"}


def test_whatever_the_bytes_do_nothing_is_paid_twice_and_no_wrong_film_is_kept(runs: Runs) -> None:
    assert runs.wrong == []
    for books in (runs.once, runs.always, runs.later):
        assert set(books.paid.values()) == {1}


def test_every_fault_that_a_film_can_meet_is_tried() -> None:
    tried = {line.split()[0] for line in CASES.values()}
    kinds = {PRESETS.get(word, word).split()[0] for word in tried}
    of_the_api_only = {Do.AWAY}  # nobody listens at all: an outage, not a film's trouble

    assert kinds | {"cut"} >= {str(do) for do in KINDS if Endpoint.FILE in KINDS[do].at} - of_the_api_only
