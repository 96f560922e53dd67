"""What is left to do: counted, chosen, and the same in the plan as in the run."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import ErrorCode, Usage
from batchrunner.ledger import Store
from batchrunner.lifecycle import State
from batchrunner.plan import Plan
from batchrunner.settings import OnUnknown, Rerun, Selection, Settings
from tests.builders import a_job, an_error, bring, some_jobs, take, the

ONE_OF_EACH = {
    f"job-{number:02d}": state for number, state in enumerate(s for s in State if s is not State.SUBMITTING)
}
RERUN_ALL = Rerun(redo=("*",))


@pytest.fixture
def store():
    with closing(Store.in_memory()) as opened:
        yield opened


@pytest.fixture
def mixed(store):
    """One job in each state that a run can find."""
    take(store, some_jobs(len(ONE_OF_EACH)))
    for job_id, state in ONE_OF_EACH.items():
        bring(store, state, job_id)
    return store


def all_of(mixed: Store) -> list:
    return some_jobs(len(ONE_OF_EACH))


def pending(store: Store) -> set[str]:
    return {entry.id for entry in store.entries(State.PENDING)}


# ── counting ──


def test_every_job_is_counted_once_under_its_reason(mixed):
    plan = take(mixed, all_of(mixed))

    assert (plan.total, plan.submit, plan.collect, plan.skip) == (7, 1, 2, 4)
    assert plan.reasons == {
        "new": 1, "in_flight": 1, "not_downloaded": 1, "done": 1, "failed": 1, "cancelled": 1, "in_doubt": 1,
    }  # fmt: skip


def test_going_on_without_a_manifest_plans_the_same(mixed):
    assert take(mixed, None) == take(mixed, all_of(mixed))


def test_the_plan_as_data_has_the_fields_that_programs_read(mixed):
    data = take(mixed, all_of(mixed)).as_json()

    assert {"total", "submit", "collect", "skip", "reasons", "cost_usd"} <= data.keys()
    assert data["total"] == data["submit"] + data["collect"] + data["skip"]


def test_a_crash_between_intent_and_answer_is_a_doubt(store):
    take(store, some_jobs(2))
    bring(store, State.SUBMITTING, "job-00")

    plan = take(store, None)

    assert the(store, "job-00").state is State.UNKNOWN
    assert plan.reasons == {"in_doubt": 1, "new": 1}
    assert store.errors() == {"in_doubt": 1}


def test_a_missing_file_is_collected_never_generated_again(store):
    take(store, some_jobs(1))
    bring(store, State.SUCCEEDED, "job-00")

    plan = take(store, None, exists=False)

    assert (plan.submit, plan.collect, plan.reasons) == (0, 1, {"file_missing": 1})


def test_only_what_will_be_submitted_names_its_models(store):
    jobs = [
        a_job("a", model="acme/one"),
        a_job("b", row=3, model="acme/two"),
        a_job("c", row=4, model="acme/one"),
    ]
    take(store, jobs)
    bring(store, State.SUCCEEDED, "b")

    assert take(store, jobs).models == ("acme/one",)


def test_a_retry_that_waits_is_counted_as_an_attempt_left(store):
    take(store, some_jobs(1))
    seq = bring(store, State.SUBMITTED, "job-00").seq
    store.failed_there(seq, an_error(), None, 5.0, 9.0)

    assert take(store, None).reasons == {"attempts_left": 1}


def test_an_edit_of_something_paid_is_counted_as_such(store):
    take(store, some_jobs(3))
    bring(store, State.SUCCEEDED, "job-00")
    bring(store, State.SUBMITTED, "job-01")

    plan = take(store, [a_job(job.id, row=job.place.row, seed=1) for job in some_jobs(3)])

    assert (len(plan.edits), plan.redone) == (3, 2)
    assert plan.reasons == {"edited": 2, "in_flight": 1}


# ── choosing ──


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        (Settings(limit=2), {"new": 2, "limit": 3}),
        (Settings(limit=0), {"limit": 5}),
        (Settings(selection=Selection(only=("job-0[12]",))), {"new": 2, "not_selected": 3}),
        (Settings(selection=Selection(only=("nobody",))), {"not_selected": 5}),
        (Settings(selection=Selection(sample=3)), {"new": 3, "not_selected": 2}),
        (Settings(selection=Selection(only=("job-0[12]",), sample=1)), {"new": 1, "not_selected": 4}),
        (Settings(collect_only=True), {"collect_only": 5}),
        (Settings(submit_only=True), {"new": 5}),
    ],
)
def test_the_flags_choose_what_is_submitted(store, settings, reasons):
    assert take(store, some_jobs(5), settings).reasons == reasons


@pytest.mark.parametrize(
    "settings",
    [Settings(limit=0), Settings(selection=Selection(only=("none",))), Settings(collect_only=True)],
)
def test_no_flag_keeps_a_paid_result_from_being_collected(mixed, settings):
    assert take(mixed, all_of(mixed), settings).collect == 2


def test_submit_only_collects_nothing(mixed):
    plan = take(mixed, all_of(mixed), Settings(submit_only=True))

    assert (plan.collect, plan.reasons["submit_only"]) == (0, 2)


def sample_of(store: Store, n: int) -> frozenset[str]:
    sample = take(store, None, Settings(selection=Selection(sample=n))).sample
    assert sample is not None
    return sample


@given(st.sets(st.text(min_size=1, max_size=5).filter(str.isprintable), max_size=15), st.data())
def test_a_sample_is_the_same_every_time_and_lies_in_every_larger_one(ids, data):
    small, large = sorted(data.draw(st.tuples(st.integers(0, 16), st.integers(0, 16))))
    order = data.draw(st.permutations(sorted(ids)))
    with closing(Store.in_memory()) as store, closing(Store.in_memory()) as other:
        take(store, [a_job(job_id, row=row) for row, job_id in enumerate(sorted(ids), 2)])
        take(other, [a_job(job_id, row=row) for row, job_id in enumerate(order, 2)])

        assert sample_of(store, small) <= sample_of(store, large)
        assert len(sample_of(store, large)) == min(large, len(ids))
        assert sample_of(store, large) == sample_of(other, large)


def test_a_sample_stays_the_same_as_its_jobs_come_to_their_end(store):
    take(store, some_jobs(6))
    before = sample_of(store, 3)
    bring(store, State.SUCCEEDED, min(before))

    assert sample_of(store, 3) == before


# ── asking again ──


@pytest.mark.parametrize(
    ("retry", "again"),
    [
        ({"failed"}, {State.FAILED}),
        ({"cancelled"}, {State.CANCELLED}),
        ({"unknown"}, {State.UNKNOWN}),
        ({"in_doubt"}, {State.UNKNOWN}),
        ({"generation_failed"}, {State.FAILED}),
        ({"moderated"}, set()),
        ({"failed", "cancelled"}, {State.FAILED, State.CANCELLED}),
    ],
)
def test_retry_runs_exactly_those_again(mixed, retry, again):
    take(mixed, all_of(mixed), rerun=Rerun(retry=frozenset(retry)))

    asked_for = {ONE_OF_EACH[job_id] for job_id in pending(mixed)} - {State.PENDING}
    assert asked_for == again


def test_redo_runs_finished_jobs_again_but_never_a_doubt_nor_what_is_on_its_way(mixed):
    plan = take(mixed, all_of(mixed), rerun=RERUN_ALL)

    again = {ONE_OF_EACH[job_id] for job_id in pending(mixed)} - {State.PENDING}
    assert again == {State.SUCCEEDED, State.FAILED, State.CANCELLED}
    assert plan.reasons["asked_for"] == 3


def test_asking_again_is_narrowed_by_only(mixed):
    settings = Settings(selection=Selection(only=("job-00",)))

    take(mixed, all_of(mixed), settings, RERUN_ALL)

    assert pending(mixed) == {"job-00"}


def test_a_job_that_is_gone_is_not_run_again(store):
    take(store, some_jobs(2))
    bring(store, State.FAILED, "job-00")

    take(store, some_jobs(2)[1:], rerun=Rerun(retry=frozenset({"failed"})))

    assert the(store, "job-00").state is State.FAILED


def test_going_on_with_an_interrupted_redo_does_not_redo_again(store):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")
    bring(store, State.SUCCEEDED, "job-01")
    take(store, some_jobs(2), rerun=RERUN_ALL)
    bring(store, State.SUCCEEDED, "job-00")

    plan = take(store, some_jobs(2), rerun=RERUN_ALL)

    assert plan.reasons == {"done": 1, "asked_for": 1}
    assert the(store, "job-00").generation == 2


def test_another_wish_is_a_new_one(store):
    take(store, some_jobs(2))
    bring(store, State.SUCCEEDED, "job-00")
    take(store, some_jobs(2), rerun=RERUN_ALL)
    bring(store, State.SUCCEEDED, "job-00")

    plan = take(store, some_jobs(2), rerun=Rerun(redo=("job-00",)))

    assert plan.reasons == {"asked_for": 1, "new": 1}


def test_a_word_that_retry_does_not_know_is_refused_with_those_it_knows():
    with pytest.raises(Usage, match="'broken'") as raised:
        Rerun(retry=frozenset({"broken"}))

    assert all(word in str(raised.value.hint) for word in ("failed", "unknown", "cancelled", *ErrorCode))


def test_doubts_are_held_unless_the_user_takes_the_risk(store):
    take(store, some_jobs(1))
    bring(store, State.UNKNOWN, "job-00")

    held = take(store, None)
    resubmitted = take(store, None, Settings(on_unknown=OnUnknown.RESUBMIT))

    assert held.reasons == {"in_doubt": 1}
    assert resubmitted.reasons == {"attempts_left": 1}


def test_a_doubt_is_not_resubmitted_beyond_the_attempts_allowed(store):
    take(store, some_jobs(1))
    bring(store, State.UNKNOWN, "job-00")

    plan = take(store, None, Settings(on_unknown=OnUnknown.RESUBMIT, max_attempts=1))

    assert plan.submit == 0


# ── the plan is what the run does ──


def plan_on_a_copy(path, *arguments, **more) -> Plan:
    with closing(Store.copy_of(path)) as copy:
        return take(copy, *arguments, **more)


@pytest.mark.parametrize("rerun", [Rerun(), RERUN_ALL])
def test_a_plan_leaves_the_ledger_byte_for_byte_and_says_what_the_run_does(tmp_path, rerun):
    path = tmp_path / "ledger.sqlite"
    edited = [a_job(job.id, row=job.place.row, seed=1) for job in some_jobs(4)]
    with closing(Store.open(path)) as store:
        take(store, some_jobs(6))
        bring(store, State.SUCCEEDED, "job-00")
        bring(store, State.SUBMITTED, "job-01")
        bring(store, State.SUBMITTING, "job-02")
        store.checkpoint()
    before = path.read_bytes()

    planned = plan_on_a_copy(path, edited, rerun=rerun)

    assert path.read_bytes() == before
    with closing(Store.open(path)) as store:
        assert take(store, edited, rerun=rerun) == planned
