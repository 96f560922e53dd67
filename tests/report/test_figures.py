"""The report's numbers are of all jobs, whatever the page holds of them."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import closing
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.outputs.lines import pieces
from batchrunner.outputs.report.figures import (
    MOST_BARS,
    Figures,
    Ordered,
    figures_of,
    nice_width,
    run_times_of,
)
from batchrunner.outputs.tallies import tally
from tests.builders import MODEL, a_job, bring, some_jobs, take


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


def read_figures(store) -> Figures:
    return figures_of(store, [tally(store, piece) for piece in pieces(store)])


def test_a_folder_without_a_run_has_figures_too(store):
    take(store, some_jobs(2))

    figures = read_figures(store)

    assert figures.total == 2
    assert (figures.first_at, figures.busy_s, figures.throughput) == (None, 0.0, None)
    assert figures.models[0].run_times is None


def test_films_failures_bytes_and_money_are_counted(store):
    take(store, some_jobs(3))
    bring(store, State.SUCCEEDED, "job-00", outputs=2)
    bring(store, State.FAILED, "job-01")

    figures = read_figures(store)

    assert figures.states[State.SUCCEEDED] == figures.states[State.FAILED] == 1
    assert figures.kinds == {"video": 2}
    assert figures.size_bytes == 10
    assert figures.cost_usd == 0.75
    (model,) = figures.models
    assert (model.model, model.jobs, model.succeeded, model.failed) == (MODEL, 3, 1, 1)
    assert model.cost_usd == 0.75


def test_a_film_counts_when_it_was_saved_and_a_failure_when_it_was_known(store):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")  # saved at 4
    bring(store, State.FAILED, "job-01")  # known at 3

    throughput = read_figures(store).throughput

    assert throughput is not None
    assert throughput.start_at == 3.0
    assert (throughput.saved, throughput.failed) == ((0, 1), (1, 0))


def test_the_night_between_two_runs_is_no_time_at_work(store):
    take(store, some_jobs(2))
    for job_id, begin in (("job-00", 100.0), ("job-01", 90_000.0)):
        seq = bring(store, State.SUCCEEDED, job_id).seq
        store.connection.execute(
            "UPDATE attempts SET submitted_at = ?, completed_at = ? WHERE job = ?", (begin, begin + 60, seq)
        )
        store.connection.execute("UPDATE jobs SET saved_at = ? WHERE seq = ?", (begin + 70, seq))

    figures = read_figures(store)

    assert figures.busy_s == 140.0
    assert (figures.first_at, figures.last_at) == (100.0, 90_070.0)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), min_size=1, max_size=8))
def test_time_at_work_is_that_in_which_any_job_was_under_way(spans):
    with closing(Store.in_memory()) as store:
        take(store, some_jobs(len(spans)))
        for number, (start, length) in enumerate(spans):
            seq = bring(store, State.FAILED, f"job-{number:02d}").seq
            store.connection.execute(
                "UPDATE attempts SET submitted_at = ?, completed_at = ? WHERE job = ?",
                (start, start + length, seq),
            )

        figures = read_figures(store)

    assert figures.busy_s == len({s for start, length in spans for s in range(start, start + length)})
    assert figures.first_at == min(start for start, _ in spans)
    assert figures.last_at == max(start + length for start, length in spans)


def test_each_model_has_its_own_run_times(store):
    take(store, [a_job("one", model="a/slow"), a_job("two", row=3, model="b/quick")])
    for job_id, low, high in (("one", 90.0, 110.0), ("two", 1.0, 3.0)):
        seq = bring(store, State.SUCCEEDED, job_id).seq
        store.connection.execute(
            "UPDATE attempts SET ran_at_least_s = ?, ran_at_most_s = ? WHERE job = ?", (low, high, seq)
        )

    medians = {each.model: each.run_times and each.run_times.median_s for each in read_figures(store).models}

    assert medians == {"a/slow": 100.0, "b/quick": 2.0}


RUNS = st.lists(st.lists(st.integers(10, 10**9), max_size=9).map(sorted), min_size=1)


@given(RUNS.filter(any))
def test_every_run_time_stands_in_one_bin_and_few_bins_are_enough(runs_ms):
    times = run_times_of(Ordered(runs_ms))
    seconds = [ms / 1000 for run in runs_ms for ms in run]

    assert sum(times.bins) == times.count == len(seconds)
    assert len(times.bins) <= 60
    assert times.first_s <= min(seconds)
    assert min(seconds) <= times.median_s <= times.p90_s <= times.slowest_s == max(seconds)


@given(RUNS.filter(any), st.floats(0, 1), st.integers(0, 10**9))
def test_numbers_in_many_runs_are_found_as_in_one(runs, share, mark):
    ordered, one = Ordered(runs), sorted(chain.from_iterable(runs))

    assert len(ordered) == len(one)
    assert ordered.at(share) == one[min(len(one) - 1, int(share * len(one)))]
    assert ordered.before(mark) == bisect_left(one, mark)
    assert (ordered.first, ordered.last) == (one[0], one[-1])


@given(st.floats(min_value=0, max_value=1e10))
def test_any_span_fits_into_the_bars_of_a_chart(span_s):
    assert span_s / nice_width(span_s) < MOST_BARS
