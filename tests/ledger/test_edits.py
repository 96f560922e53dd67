"""A manifest comes in again: same, new, edited, edited back, gone, and back."""

from __future__ import annotations

import pytest

from batchrunner.errors import ErrorCode, ManifestInvalid
from batchrunner.lifecycle import State
from tests.builders import a_job, an_error, bring, rid, save, some_jobs, some_outputs, take, the

BEFORE = a_job("fox", seed=4)
AFTER = a_job("fox", seed=5)


def seed(store) -> object:
    return the(store).inputs["seed"]


@pytest.mark.parametrize("state", State)
def test_the_same_row_changes_nothing(store, state):
    take(store, [BEFORE])
    before = bring(store, state)
    if state is State.SUBMITTING:  # what a crash left there is in doubt by the time a manifest comes in
        with store.transaction():
            before = store.in_doubt(before.seq, an_error(ErrorCode.IN_DOUBT))

    plan = take(store, [BEFORE])

    assert the(store) == before
    assert plan.edits == ()


def test_a_row_that_was_never_sent_is_just_replaced(store):
    take(store, [BEFORE])

    plan = take(store, [AFTER])

    assert (the(store).state, the(store).generation, seed(store)) == (State.PENDING, 1, 5)
    assert [edit.changes for edit in plan.edits] == ["seed 4 → 5"]
    assert not plan.edits[0].pays_again
    assert store.superseded_count() == 0


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_an_ended_job_begins_anew_and_its_past_is_kept(store, state):
    take(store, [BEFORE])
    bring(store, state)

    plan = take(store, [AFTER])

    entry = the(store)
    assert (entry.state, entry.generation, entry.attempts, seed(store)) == (State.PENDING, 2, 0, 5)
    assert plan.edits[0].pays_again
    (old,) = store.connection.execute("SELECT * FROM generations").fetchall()
    assert (old["generation"], old["state"], old["inputs"]) == (1, state, '{"seed":4,"text":"fox"}')
    assert store.connection.execute("SELECT count(*) FROM attempts").fetchone()[0] == 1


def test_a_waiting_retry_of_the_old_inputs_is_superseded(store):
    take(store, [BEFORE])
    seq = bring(store, State.SUBMITTED).seq
    with store.transaction():
        store.failed_there(seq, an_error(), None, 5.0, 9.0)

    take(store, [AFTER])

    entry = the(store)
    assert (entry.state, entry.generation, entry.attempts, entry.not_before) == (State.PENDING, 2, 0, None)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.READY])
def test_what_is_paid_is_collected_before_the_edit_takes_effect(store, state):
    take(store, [BEFORE])
    seq = bring(store, state).seq

    plan = take(store, [AFTER])
    held = the(store)
    if state is State.SUBMITTED:
        store.done(seq, some_outputs(), None, 5.0)
    save(store)

    assert (held.state, held.inputs["seed"]) == (state, 4)
    assert plan.edits[0].pays_again
    assert (the(store).state, the(store).generation, seed(store)) == (State.PENDING, 2, 5)
    assert store.superseded_files() == [("videos/fox.mp4", "superseded/videos/fox.g1.mp4")]


def test_an_edit_of_a_request_that_then_fails_takes_effect_too(store):
    take(store, [BEFORE])
    seq = bring(store, State.SUBMITTED).seq
    take(store, [AFTER])

    with store.transaction():
        store.failed_there(seq, an_error(), None, 5.0, 500.0)

    entry = the(store)
    assert (entry.state, entry.attempts, entry.not_before, seed(store)) == (State.PENDING, 0, None, 5)


def test_a_doubt_stays_held_and_is_submitted_with_the_new_inputs_once_it_is_settled(store):
    take(store, [BEFORE])
    seq = bring(store, State.UNKNOWN).seq

    take(store, [AFTER])
    held = the(store)
    with store.transaction():
        store.resubmit(seq, fresh=True)

    assert (held.state, held.inputs["seed"]) == (State.UNKNOWN, 4)
    assert (the(store).state, seed(store)) == (State.PENDING, 5)


def test_a_crash_and_an_edit_at_once_leave_a_held_doubt(store):
    take(store, [BEFORE])
    bring(store, State.SUBMITTING)

    take(store, [AFTER])

    assert (the(store).state, seed(store)) == (State.UNKNOWN, 4)


def test_a_cancelled_job_stays_cancelled_with_its_new_inputs(store):
    take(store, [BEFORE])
    bring(store, State.CANCELLED)

    take(store, [AFTER])

    assert (the(store).state, seed(store)) == (State.CANCELLED, 5)


def test_an_edit_that_is_taken_back_in_time_never_happened(store):
    take(store, [BEFORE])
    bring(store, State.READY)
    take(store, [AFTER])

    plan = take(store, [BEFORE])
    save(store)

    assert plan.edits == ()
    assert (the(store).state, the(store).generation, seed(store)) == (State.SUCCEEDED, 1, 4)


def test_an_edit_that_waits_is_named_once(store):
    take(store, [BEFORE])
    bring(store, State.SUBMITTED)

    named = [len(take(store, [AFTER]).edits) for _ in range(3)]

    assert named == [1, 0, 0]


def test_the_latest_of_several_edits_counts(store):
    take(store, [BEFORE])
    bring(store, State.READY)
    take(store, [AFTER])

    plan = take(store, [a_job("fox", seed=6, ratio="16:9")])
    save(store)

    assert plan.edits[0].changes == "seed 4 → 6, ratio (none) → 16:9"
    assert the(store).inputs == {"text": "fox", "seed": 6, "ratio": "16:9"}


def test_another_model_is_an_edit(store):
    take(store, [BEFORE])

    plan = take(store, [a_job("fox", seed=4, model="acme/other")])

    assert plan.edits[0].changes == "model bytedance/seedance-1-0/lite/reference… → acme/other"
    assert the(store).model == "acme/other"


def test_other_meta_is_no_edit_but_is_taken_over(store):
    take(store, [a_job("fox", meta={"shot": 1})])
    bring(store, State.SUCCEEDED)

    plan = take(store, [a_job("fox", meta={"shot": 2})])

    assert plan.edits == ()
    assert the(store).state is State.SUCCEEDED
    assert store.connection.execute("SELECT meta FROM jobs").fetchone()[0] == '{"shot":2}'


def test_inputs_are_the_same_in_any_order(store):
    take(store, [a_job("fox", seed=4, ratio="16:9")])
    bring(store, State.SUCCEEDED)

    assert take(store, [a_job("fox", ratio="16:9", seed=4)]).edits == ()


# ── gone, new, used twice ──


def test_a_row_that_is_gone_is_never_submitted_but_collected(store):
    take(store, some_jobs(3))
    bring(store, State.SUBMITTED, "job-00")

    plan = take(store, some_jobs(3)[2:])

    assert (plan.total, plan.gone, plan.gone_to_collect, plan.submit) == (1, 2, 1, 1)
    assert not the(store, "job-01").in_manifest


def test_a_row_that_comes_back_is_as_it_was(store):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")
    take(store, some_jobs(2)[1:])

    plan = take(store, some_jobs(2))

    assert (plan.total, plan.gone, plan.reasons) == (2, 0, {"done": 1, "new": 1})


def test_moved_rows_keep_their_state_and_get_their_new_line(store):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")

    take(store, [a_job("job-01", row=2), a_job("job-00", row=9)])

    rows = store.connection.execute("SELECT id, position, row, state FROM jobs ORDER BY position").fetchall()
    assert [tuple(row) for row in rows] == [("job-01", 1, 2, "pending"), ("job-00", 2, 9, "succeeded")]


def test_an_id_used_twice_names_both_rows_and_leaves_no_trace(store):
    with pytest.raises(ManifestInvalid) as raised:
        take(store, [a_job("fox", row=2), a_job("crow", row=3), a_job("fox", row=7, seed=1)])

    (problem,) = raised.value.problems
    assert (problem.place.row, problem.id, problem.field) == (7, "fox", "id")
    assert "line 2" in problem.message
    assert raised.value.jobs == 2
    assert store.count("1") == 0


def test_an_id_used_in_two_files_names_the_other_file(store):
    with pytest.raises(ManifestInvalid) as raised:
        take(store, [a_job("fox", file="a.csv", row=2), a_job("fox", file="b.csv", row=5, seed=1)])

    assert "a.csv:2" in raised.value.problems[0].message


def test_the_same_inputs_twice_without_ids_are_refused_naming_both_rows(store):
    with pytest.raises(ManifestInvalid) as raised:
        take(store, [a_job(None, row=2, seed=4), a_job(None, row=3, seed=4)])

    (problem,) = raised.value.problems
    assert "same inputs as line 2" in problem.message
    assert problem.hint == "give both an id to pay for both, or take one out"


def test_every_problem_is_told_in_one_pass(store):
    jobs = [a_job("fox", row=2), a_job("fox", row=3), a_job("crow", row=4), a_job("crow", row=5)]

    with pytest.raises(ManifestInvalid, match="2 problems") as raised:
        take(store, jobs)

    assert [problem.place.row for problem in raised.value.problems] == [3, 5]


def test_a_request_id_survives_an_edit_in_its_attempt(store):
    take(store, [BEFORE])
    bring(store, State.SUCCEEDED)

    take(store, [AFTER])

    assert the(store).request_id is None
    assert [row[0] for row in store.connection.execute("SELECT request_id FROM attempts")] == [rid("r-fox-1")]
