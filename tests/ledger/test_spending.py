"""What all attempts cost or are taken to cost: one sum, part of every commit, compared with the cap in it."""

from __future__ import annotations

import sqlite3

import pytest

from batchrunner.errors import ErrorCode
from batchrunner.ledger import OverCap, Store
from batchrunner.ledger.schema import MIGRATIONS, VERSION, ensure_schema
from batchrunner.lifecycle import State

from ..builders import a_job, an_error, as_of_version_4, bring, rid, some_jobs, some_outputs, take, the


@pytest.fixture
def two(store):
    take(store, some_jobs(2))
    return store


def test_an_intent_sets_aside_what_it_is_taken_to_cost_and_a_said_cost_takes_its_place(two):
    two.intend(1, 1.0, cost_micros=100)
    assert two.committed_micros() == 100

    two.accepted(1, rid(), 2.0)
    two.done(1, some_outputs(), 0.000070, 3.0)

    assert (two.committed_micros(), two.reserved_micros(), two.cost_usd()) == (70, 0, 0.00007)


def test_what_does_not_fit_under_the_cap_changes_nothing(two):
    two.intend(1, 1.0, cost_micros=60, cap_micros=100)

    with pytest.raises(OverCap):
        two.intend(2, 2.0, cost_micros=41, cap_micros=100)

    assert the(two, "job-01").state is State.PENDING
    assert the(two, "job-01").attempts == 0
    assert two.committed_micros() == 60
    two.intend(2, 2.0, cost_micros=40, cap_micros=100)  # to the last micro-dollar


ENDS = {
    "turned away": (lambda s: s.not_accepted(1), 0),
    "refused": (lambda s: s.refused(1, an_error(ErrorCode.REFUSED), 2.0), 0),
    "in doubt": (lambda s: s.in_doubt(1, an_error(ErrorCode.IN_DOUBT)), 100),
}


@pytest.mark.parametrize("end", ENDS)
def test_only_what_may_have_been_accepted_stays_set_aside(two, end):
    step, left = ENDS[end]
    two.intend(1, 1.0, cost_micros=100)

    step(two)

    assert two.committed_micros() == left


VERDICTS = {
    "failed, its cost not said": (lambda s: s.gave_up(1, an_error(), None, 3.0), 100),
    "failed, billed": (lambda s: s.gave_up(1, an_error(), 0.000030, 3.0), 30),
    "failed, not billed": (lambda s: s.gave_up(1, an_error(), 0.0, 3.0), 0),
    "failed, to be tried again": (lambda s: s.failed_there(1, an_error(), None, 3.0, 4.0), 100),
    "cancelled": (lambda s: s.cancelled_there(1, an_error(ErrorCode.CANCELLED_REMOTELY), 3.0), 0),
    "done, its cost not said": (lambda s: s.done(1, some_outputs(), None, 3.0), 100),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_leaves_what_it_says_or_else_the_estimate(two, verdict):
    step, left = VERDICTS[verdict]
    two.intend(1, 1.0, cost_micros=100)
    two.accepted(1, rid(), 2.0)

    step(two)

    assert two.committed_micros() == left


def test_a_doubt_sent_again_counts_twice_because_both_may_be_paid(two):
    two.intend(1, 1.0, cost_micros=100)
    two.in_doubt(1, an_error(ErrorCode.IN_DOUBT))
    two.resubmit(1, fresh=True)

    two.intend(1, 2.0, cost_micros=100)

    assert two.committed_micros() == 200


def test_superseded_generations_still_count(store):
    take(store, [a_job("fox")])
    bring(store, State.SUCCEEDED)
    take(store, [a_job("fox", seed=2)])

    assert store.committed_micros() == 500_000


def test_attempts_without_cost_and_estimate_are_found_with_the_inputs_they_were_made_for(store):
    take(store, [a_job("fox", seed=1)])
    store.intend(1, 1.0)
    store.accepted(1, rid(), 2.0)
    store.done(1, some_outputs(), None, 3.0)
    take(store, [a_job("fox", seed=2)])
    store.file_saved(1, 1, 4.0)

    [(job, generation, number, model, inputs)] = store.unpriced_attempts()
    store.set_aside(job, generation, number, 9)

    assert (model, inputs["seed"]) == (a_job().model, 1)
    assert store.committed_micros() == 9
    assert list(store.unpriced_attempts()) == []


def test_a_ledger_of_the_first_version_learns_what_its_attempts_cost(tmp_path):
    old = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    ensure_schema(old, None)
    as_of_version_4(old)
    for name in ("attempt_made", "attempt_changed", "attempt_dropped"):
        old.execute(f"DROP TRIGGER {name}")
    old.executescript(
        "DROP TABLE images; DROP TABLE stored; DROP TABLE spending;"
        "ALTER TABLE attempts DROP COLUMN reserved_micros;"
    )
    old.execute(
        "INSERT INTO jobs (id, position, file, row, model, inputs, meta, fingerprint, state)"
        " VALUES ('fox', 1, 'f', 1, 'm', '{}', '{}', 'x', 'ready')"
    )
    old.execute(
        "INSERT INTO attempts (job, generation, number, intent_at, cost_usd) VALUES (1, 1, 1, 0, 0.25)"
    )
    old.execute("PRAGMA user_version = 1")
    old.close()

    store = Store.open(tmp_path / "ledger.sqlite")

    assert store.committed_micros() == 250_000
    assert set(MIGRATIONS) == set(range(1, VERSION))
    store.close()
