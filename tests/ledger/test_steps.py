"""One step of a job's life after the other, as the ledger records them."""

from __future__ import annotations

import sqlite3

import pytest

from batchrunner.errors import ErrorCode
from batchrunner.ledger import AlreadyOwned, StaleWrite, Store
from batchrunner.lifecycle import IllegalTransition, State
from tests.builders import a_job, an_error, bring, nothing, rid, save, some_jobs, some_outputs, take, the


@pytest.fixture
def fox(store: Store) -> Store:
    """A ledger with the one pending job ``fox``."""
    take(store, [a_job("fox", seed=4)])
    return store


def job(store: Store, job_id: str = "fox") -> dict[str, object]:
    return dict(store.connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone())


def attempts(store: Store) -> list[dict[str, object]]:
    return [
        dict(row) for row in store.connection.execute("SELECT * FROM attempts ORDER BY generation, number")
    ]


def error_of(store: Store) -> tuple[object, object]:
    row = job(store)
    return row["error_code"], row["error_message"]


# ── a submission ──


def test_a_new_job_has_nothing_behind_it(fox):
    entry = the(fox)

    assert (entry.state, entry.attempts, entry.generation) == (State.PENDING, 0, 1)
    assert entry.inputs == {"text": "fox", "seed": 4}
    assert entry.in_manifest
    assert attempts(fox) == []


def test_the_intent_is_an_attempt_without_an_answer(fox):
    entry = fox.intend(the(fox).seq, 10.0)

    (attempt,) = attempts(fox)
    assert (entry.state, entry.attempts) == (State.SUBMITTING, 1)
    assert (attempt["number"], attempt["intent_at"], attempt["request_id"]) == (1, 10.0, None)


def test_an_acceptance_records_the_request_id_in_both_places(fox):
    fox.intend(the(fox).seq, 10.0)

    entry = fox.accepted(the(fox).seq, rid("r-1"), 11.0)

    (attempt,) = attempts(fox)
    assert (entry.state, entry.request_id, entry.submitted_at) == (State.SUBMITTED, "r-1", 11.0)
    assert (attempt["request_id"], attempt["submitted_at"], attempt["outcome"]) == ("r-1", 11.0, None)


def test_what_was_not_accepted_is_no_attempt(fox):
    fox.intend(the(fox).seq, 10.0)

    entry = fox.not_accepted(the(fox).seq, not_before=60.0)

    assert (entry.state, entry.attempts, entry.not_before) == (State.PENDING, 0, 60.0)
    assert attempts(fox) == []


def test_what_was_refused_is_no_attempt_and_says_why(fox):
    fox.intend(the(fox).seq, 10.0)

    entry = fox.refused(the(fox).seq, an_error(ErrorCode.REFUSED, "too long"), 11.0)

    assert (entry.state, entry.attempts) == (State.FAILED, 0)
    assert error_of(fox) == ("refused", "too long")
    assert attempts(fox) == []


def test_a_doubt_stays_an_attempt(fox):
    entry = bring(fox, State.UNKNOWN)

    assert entry.attempts == 1
    assert attempts(fox)[0]["outcome"] == "unknown"
    assert error_of(fox)[0] == "in_doubt"


def test_a_request_id_given_twice_is_a_doubt_not_an_acceptance(store):
    take(store, some_jobs(2))
    first, second = the(store, "job-00").seq, the(store, "job-01").seq
    store.intend(first, 1.0)
    store.accepted(first, rid("r-1"), 2.0)
    store.intend(second, 3.0)

    entry = store.accepted(second, rid("r-1"), 4.0)

    assert entry.state is State.UNKNOWN
    assert "r-1" in str(job(store, "job-01")["error_message"])
    assert the(store, "job-00").request_id == "r-1"


# ── a request at the service ──


def test_outputs_are_known_before_their_bytes(fox):
    bring(fox, State.SUBMITTED)

    entry = fox.done(the(fox).seq, some_outputs(2), 0.5, 12.0)

    links = fox.artifacts(entry.seq, entry.generation)
    assert entry.state is State.READY
    assert [(link.n, link.url, link.saved, link.file) for link in links] == [
        (1, "https://films.example.com/1.mp4", False, None),
        (2, "https://films.example.com/2.mp4", False, None),
    ]
    assert fox.cost_usd() == 0.5


def test_a_failed_generation_waits_for_its_next_attempt(fox):
    bring(fox, State.SUBMITTED)

    entry = fox.failed_there(the(fox).seq, an_error(), 0.25, 12.0, 20.0)
    bring(fox, State.SUBMITTED)

    assert (entry.state, entry.not_before, entry.attempts) == (State.PENDING, 20.0, 1)
    first, second = attempts(fox)
    assert (first["outcome"], first["cost_usd"], first["error_code"]) == ("failed", 0.25, "generation_failed")
    assert (second["number"], second["outcome"]) == (2, None)
    assert error_of(fox) == (None, None)


def test_what_all_attempts_cost_is_added_up(fox):
    bring(fox, State.SUBMITTED)
    fox.failed_there(the(fox).seq, an_error(), 0.25, 12.0, 20.0)
    bring(fox, State.SUCCEEDED)

    assert fox.cost_usd() == 0.75


def test_nothing_was_said_about_costs_is_not_zero(fox):
    bring(fox, State.SUBMITTED)

    assert fox.cost_usd() is None


def test_a_result_without_output_is_a_failure(fox):
    bring(fox, State.SUBMITTED)

    entry = fox.no_output(the(fox).seq, an_error(ErrorCode.NO_OUTPUT), 0.5, 12.0)

    assert entry.state is State.FAILED
    assert error_of(fox)[0] == "no_output"
    assert attempts(fox)[0]["outcome"] == "failed"


def test_a_note_stays_with_a_job_that_stays(fox):
    bring(fox, State.SUBMITTED)

    entry = fox.note(the(fox).seq, an_error(ErrorCode.JOB_TIMEOUT, "not finished in time"))

    assert (entry.state, entry.request_id) == (State.SUBMITTED, "r-fox-1")
    assert error_of(fox) == ("job_timeout", "not finished in time")


def test_what_is_confirmed_cancelled_can_be_put_back(fox):
    bring(fox, State.SUBMITTED)

    entry = fox.take_back(the(fox).seq, an_error(ErrorCode.CANCELLED_REMOTELY), 12.0)

    assert entry.state is State.PENDING
    assert attempts(fox)[0]["outcome"] == "cancelled"
    assert error_of(fox) == (None, None)


# ── files ──


def test_the_last_saved_file_makes_the_job_succeed(fox):
    entry = bring(fox, State.READY, outputs=2)
    for n in (1, 2):
        fox.reserve(entry.seq, n, kind="video", extension=".mp4", size_bytes=n, sha256="ab", taken=nothing)

    half = fox.file_saved(entry.seq, 2, 20.0)
    whole = fox.file_saved(entry.seq, 1, 21.0)

    assert (half.state, whole.state) == (State.READY, State.SUCCEEDED)
    assert [a.file for a in fox.artifacts(entry.seq, 1)] == ["videos/fox.mp4", "videos/fox.2.mp4"]
    assert job(fox)["saved_at"] == 21.0
    assert fox.largest_film() == 2


def test_a_missing_file_is_fetched_again_under_its_name(fox):
    entry = bring(fox, State.SUCCEEDED, outputs=2)

    after = fox.file_missing(entry.seq, [2])

    assert after.state is State.READY
    assert [(a.saved, a.file) for a in fox.artifacts(entry.seq, 1)] == [
        (True, "videos/fox.mp4"),
        (False, "videos/fox.2.mp4"),
    ]
    assert save(fox).state is State.SUCCEEDED


def test_fresh_links_replace_those_of_what_is_not_saved_yet(fox):
    entry = bring(fox, State.READY, outputs=2)
    fox.reserve(entry.seq, 1, kind="video", extension=".mp4", size_bytes=5, sha256="ab", taken=nothing)
    fox.file_saved(entry.seq, 1, 20.0)

    renewed = fox.renew_outputs(entry.seq, some_outputs(3, host="fresh.example.com"))

    assert [a.url for a in renewed] == ["https://films.example.com/1.mp4", "https://fresh.example.com/2.mp4"]


# ── the user's word ──


def test_a_retry_has_fresh_attempts_and_keeps_the_old_ones(fox):
    bring(fox, State.FAILED)

    entry = fox.rerun(the(fox), 30.0)
    bring(fox, State.SUBMITTED)

    assert (entry.state, entry.attempts, entry.generation) == (State.PENDING, 0, 1)
    assert [attempt["number"] for attempt in attempts(fox)] == [1, 2]
    assert the(fox).attempts == 1


def test_a_redo_keeps_the_old_film_and_moves_it_out_of_the_way(fox):
    bring(fox, State.SUCCEEDED)

    entry = fox.rerun(the(fox), 30.0)

    assert (entry.state, entry.generation, entry.attempts, entry.request_id) == (State.PENDING, 2, 0, None)
    assert fox.superseded_files() == [("videos/fox.mp4", "superseded/videos/fox.g1.mp4")]
    fox.file_moved("videos/fox.mp4", "superseded/videos/fox.g1.mp4")
    assert fox.superseded_files() == []
    bring(fox, State.SUCCEEDED)
    assert fox.artifacts(entry.seq, 2)[0].file == "videos/fox.mp4"
    assert fox.artifacts(entry.seq, 1)[0].file == "superseded/videos/fox.g1.mp4"
    assert fox.superseded_count() == 1


def test_a_redone_film_does_not_take_the_name_of_one_that_is_still_there(fox):
    bring(fox, State.SUCCEEDED)
    fox.rerun(the(fox), 30.0)

    bring(fox, State.SUCCEEDED)

    assert fox.artifacts(the(fox).seq, 2)[0].file != "videos/fox.mp4"


@pytest.mark.parametrize(("fresh", "left"), [(True, 0), (False, 1)])
def test_a_doubt_is_submitted_again_on_the_users_word(fox, fresh, left):
    bring(fox, State.UNKNOWN)

    entry = fox.resubmit(the(fox).seq, fresh=fresh)

    assert (entry.state, entry.attempts) == (State.PENDING, left)
    assert error_of(fox) == (None, None)
    assert attempts(fox)[0]["outcome"] == "unknown"


def test_a_doubt_is_collected_by_the_id_the_user_found(fox):
    bring(fox, State.UNKNOWN)

    entry = fox.attach(the(fox).seq, rid("r-found"), 30.0)

    assert (entry.state, entry.request_id) == (State.SUBMITTED, "r-found")
    assert (attempts(fox)[0]["request_id"], attempts(fox)[0]["outcome"]) == ("r-found", None)


def test_an_id_that_another_job_owns_is_refused_naming_it(store):
    take(store, some_jobs(2))
    owned = bring(store, State.SUCCEEDED, "job-00").request_id
    bring(store, State.UNKNOWN, "job-01")

    with pytest.raises(AlreadyOwned, match="job-00"):
        store.attach(the(store, "job-01").seq, owned, 30.0)

    assert the(store, "job-01").state is State.UNKNOWN


def test_a_doubt_can_be_given_up(fox):
    bring(fox, State.UNKNOWN)

    assert fox.give_up(the(fox).seq, 30.0).state is State.FAILED
    assert error_of(fox)[0] == "given_up"


def test_what_was_never_sent_can_be_cancelled_and_asked_for_again(fox):
    assert fox.cancel(the(fox).seq, 30.0).state is State.CANCELLED

    assert fox.rerun(the(fox), 31.0).state is State.PENDING


# ── guards ──

STEPS = {
    "intend": lambda s, q: s.intend(q, 9.0),
    "accepted": lambda s, q: s.accepted(q, rid("r-late"), 9.0),
    "not_accepted": lambda s, q: s.not_accepted(q),
    "refused": lambda s, q: s.refused(q, an_error(), 9.0),
    "in_doubt": lambda s, q: s.in_doubt(q, an_error()),
    "done": lambda s, q: s.done(q, some_outputs(), None, 9.0),
    "failed_there": lambda s, q: s.failed_there(q, an_error(), None, 9.0, 9.0),
    "gave_up": lambda s, q: s.gave_up(q, an_error(), None, 9.0),
    "cancelled_there": lambda s, q: s.cancelled_there(q, an_error(), 9.0),
    "cancel": lambda s, q: s.cancel(q, 9.0),
    "resubmit": lambda s, q: s.resubmit(q, fresh=True),
    "attach": lambda s, q: s.attach(q, rid("r-late"), 9.0),
    "give_up": lambda s, q: s.give_up(q, 9.0),
}

ALLOWED = {
    State.PENDING: {"intend", "cancel"},
    State.SUBMITTING: {"accepted", "not_accepted", "refused", "in_doubt"},
    State.SUBMITTED: {"done", "failed_there", "gave_up", "cancelled_there"},
    State.READY: {"gave_up"},
    State.SUCCEEDED: set(),
    State.FAILED: set(),
    State.CANCELLED: set(),
    State.UNKNOWN: {"resubmit", "attach", "give_up"},
}


def everything(store: Store) -> list[tuple[object, ...]]:
    tables = ("jobs", "attempts", "artifacts", "generations")
    return [tuple(row) for table in tables for row in store.connection.execute(f"SELECT * FROM {table}")]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", STEPS)
def test_a_stale_writer_changes_nothing(fox, state, step):
    entry = bring(fox, state)
    if step in ALLOWED[state]:
        STEPS[step](fox, entry.seq)
        return
    before = everything(fox)

    with pytest.raises((StaleWrite, IllegalTransition)), fox.transaction():
        STEPS[step](fox, entry.seq)

    assert everything(fox) == before


def test_a_state_word_that_does_not_exist_cannot_be_written(fox):
    with pytest.raises(sqlite3.IntegrityError):
        fox.connection.execute("UPDATE jobs SET state = 'finished'")


# ── reading ──


def test_pages_hold_every_job_once_in_manifest_order(store):
    take(store, some_jobs(7))

    after, seen = (0, 0), []
    while page := store.page(State.PENDING, after=after, limit=3):
        seen += [entry.id for _, entry in page]
        after = page[-1][0]

    assert seen == [f"job-{number:02d}" for number in range(7)]


def test_counts_name_every_state_and_only_jobs_of_the_manifest(store):
    take(store, some_jobs(3))
    bring(store, State.SUCCEEDED, "job-00")
    take(store, some_jobs(2))

    assert store.counts() == {**dict.fromkeys(State, 0), State.SUCCEEDED: 1, State.PENDING: 1}


def test_facts_are_kept_replaced_and_forgotten(store):
    assert store.fact("origin") is None
    store.set_fact("origin", "https://a.example.com")
    store.set_fact("origin", "https://b.example.com")
    assert store.fact("origin") == "https://b.example.com"
    store.set_fact("origin", None)
    assert store.fact("origin") is None
