"""Lines that SQLite puts together say what the same rows say as data, however many it does at once."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs import columns, dataset, lines, results
from tests.builders import a_job, bring, some_jobs, take

URL = "https://images.example.com/a.png"
MIXED = {
    "plain": [a_job(f"job-{n}", row=n, seed=n, images=[URL]) for n in range(1, 6)],
    "gaps": [a_job("a", seed=1), a_job("b", row=3, ratio="16:9"), a_job("c", row=4)],
    "notes": [a_job("a", meta={"x": "y"}), a_job("b", row=3, meta={"x": "z", "né": "w"})],
    "no one type": [a_job("a", seed=1), a_job("b", row=3, seed="one"), a_job("c", row=4, seed=2**70)],
    "names of ours": [a_job("a", model="acme/x", video="v", id_="i"), a_job("b", row=3, video="w")],
    "letters": [a_job("é", text="né\n\u2028 \\u0041"), a_job("狐", row=3, text='"狐"')],
}


@pytest.fixture(params=["two at a time", 100, 700, 2000, lines.MOST_AT_ONCE])
def size(request, monkeypatch):
    if request.param == "two at a time":
        monkeypatch.setattr(lines, "AT_ONCE", 2)
        monkeypatch.setattr(columns, "AT_ONCE", 2)
    if request.param != "two at a time":
        monkeypatch.setattr(lines, "MOST_AT_ONCE", request.param)


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


def parsed(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]


def test_results_are_in_order_and_whole_with_what_is_gone_at_the_end(store, size):
    take(store, some_jobs(5))
    take(store, [*some_jobs(7)[3:], *some_jobs(2)])
    bring(store, State.SUCCEEDED, "job-00", outputs=2)

    found = parsed("".join(results.read_text(store)))

    assert found == list(results.read_results(store))
    assert [line["id"] for line in found] == [f"job-0{n}" for n in (3, 4, 5, 6, 0, 1, 2)]


@pytest.mark.parametrize("jobs", MIXED.values(), ids=MIXED)
def test_rows_of_the_data_set_say_what_their_data_says(store, size, jobs):
    take(store, jobs)
    for job in jobs[:-1]:
        bring(store, State.SUCCEEDED, job.id, outputs=2)
    contents = dataset.look_into(store)

    found = parsed("".join(dataset.read_text(store, contents)))

    assert found == list(dataset.read_metadata(store, contents))
    assert len(found) == 2 * len(jobs[:-1])
    assert len({tuple(sorted(row)) for row in found}) == 1
