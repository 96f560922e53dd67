"""What the jobs so far teach about run times: from brackets only, per setting, and not for ever."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.policy.runtimes import EDGES, MOST_SETTINGS, PRIOR, Course, Key, RunTimes, at, key_of
from tests.laws import tried

MODEL = Key("a-model")
SHORT, LONG = Key("a-model", ("duration=5",)), Key("a-model", ("duration=10",))

anything = st.floats(allow_nan=True, allow_infinity=True)
ages = st.floats(0, 200_000)


def lognormal(rng: random.Random, median_s: float, sigma: float = 0.15) -> float:
    return rng.lognormvariate(math.log(median_s), sigma)


def taught(*medians_s: float, jobs: int = 300, every_s: float = 4.0, key: Key = MODEL) -> RunTimes:
    """Learn from jobs that were looked at every few seconds, so that only brackets are known."""
    rng, run_times = random.Random(1), RunTimes()
    for median_s in medians_s:
        for _ in range(jobs):
            looks = lognormal(rng, median_s) / every_s
            run_times.learn(key, every_s * math.floor(looks), every_s * math.ceil(looks))
    return run_times


def share_between(run_times: RunTimes, key: Key, lower_s: float, upper_s: float) -> float:
    """Return the chance that a job ends between two ages."""
    cumulated = run_times.outlook(key).cumulated
    return math.exp(-at(lower_s, cumulated)) - math.exp(-at(upper_s, cumulated))


# ── learning ──


def test_before_anything_is_known_a_job_may_end_at_any_age():
    outlook = RunTimes().outlook(MODEL)

    assert outlook.median_s is None
    assert min(outlook.hazards) > 0


def test_the_chance_to_end_per_e_fold_of_age_has_no_scale_beforehand():
    folds = [at(age_s * math.e, PRIOR.cumulated) - at(age_s, PRIOR.cumulated) for age_s in (1, 10, 100, 5000)]

    assert folds == pytest.approx([folds[0]] * 4, rel=0.02)


def test_run_times_are_learnt_from_brackets_alone():
    run_times = taught(65.0)

    assert run_times.outlook(MODEL).median_s == pytest.approx(65, rel=0.05)
    assert share_between(run_times, MODEL, 65 * 0.75, 65 * 1.35) == pytest.approx(0.95, abs=0.04)


def test_a_wide_bracket_is_read_in_the_light_of_the_others():
    run_times = taught(65.0)
    before = share_between(run_times, MODEL, 0, 30)

    for _ in range(100):
        run_times.learn(MODEL, 0, 80)

    assert share_between(run_times, MODEL, 0, 30) < before + 0.02


def test_the_more_jobs_were_seen_the_sharper_the_outlook():
    shares = [share_between(taught(65.0, jobs=jobs), MODEL, 45, 95) for jobs in (0, 1, 5, 30, 300)]

    assert shares == sorted(shares)
    assert shares[-1] > 0.95 > 0.2 > shares[0]


def test_a_job_that_nobody_saw_end_ended_later_than_it_was_seen_running():
    run_times = taught(65.0, jobs=30)
    before = share_between(run_times, MODEL, 300, math.inf)

    for _ in range(10):
        run_times.learn(MODEL, 300, math.inf)

    assert share_between(run_times, MODEL, 300, math.inf) > before + 0.15


def test_one_job_that_hangs_does_not_change_what_is_typical():
    run_times = taught(65.0)
    before_s = run_times.outlook(MODEL).median_s

    for _ in range(30):
        run_times.learn(MODEL, 3_600, math.inf)

    assert run_times.outlook(MODEL).median_s == pytest.approx(before_s, rel=0.05)


def test_drift_is_followed():
    run_times = taught(45.0, 90.0, jobs=800)

    assert run_times.outlook(MODEL).median_s == pytest.approx(90, rel=0.1)
    assert share_between(run_times, MODEL, 0, 60) < 0.2


# ── keys ──


def test_a_key_is_the_model_and_the_inputs_that_move_its_run_time():
    key = key_of("m", {"text": "a cat", "duration": 5, "resolution": "720p", "seed": 4})

    assert key == key_of("m", {"text": "a dog", "duration": 5, "resolution": "720p"})
    assert key != key_of("m", {"text": "a cat", "duration": 10, "resolution": "720p"})
    assert key != key_of("n", {"text": "a cat", "duration": 5, "resolution": "720p"})


def test_a_setting_nobody_met_is_expected_to_run_like_its_model():
    run_times = taught(40.0, key=SHORT)

    assert run_times.outlook(LONG) is run_times.outlook(MODEL)
    assert run_times.outlook(LONG).median_s == pytest.approx(40, rel=0.05)
    assert run_times.outlook(Key("another model")).median_s is None


def test_a_few_jobs_of_its_own_set_a_setting_apart():
    run_times = taught(40.0, key=SHORT)

    for run_time_s in (88, 95, 91, 84, 93, 99, 90, 86):
        run_times.learn(LONG, run_time_s - 2, run_time_s + 2)

    assert run_times.outlook(LONG).median_s == pytest.approx(90, rel=0.1)
    assert run_times.outlook(SHORT).median_s == pytest.approx(40, rel=0.1)


def test_settings_beyond_the_most_that_are_remembered_push_out_the_first():
    run_times = taught(40.0, key=SHORT)
    for i in range(MOST_SETTINGS):
        run_times.learn(Key("a-model", (f"duration={100 + i}",)), 88, 92)

    assert run_times.outlook(SHORT) is run_times.outlook(MODEL)


# ── laws ──


@tried(0.3)
@given(st.lists(st.tuples(st.sampled_from([MODEL, SHORT, LONG]), anything, anything), max_size=12))
def test_whatever_is_learnt_the_outlook_stays_a_number_above_zero(brackets):
    run_times = RunTimes()

    for key, lower_s, upper_s in brackets:
        run_times.learn(key, lower_s, upper_s)

    for key in (MODEL, SHORT, LONG):
        outlook = run_times.outlook(key)
        assert all(0 < hazard < math.inf for hazard in outlook.hazards)
        assert all(0 <= a < b < math.inf for a, b in pairwise(outlook.cumulated))
        assert outlook.median_s is None or 0 < outlook.median_s <= EDGES[-1]


@tried(0.3)
@given(st.lists(ages, min_size=2, max_size=10), ages, ages)
def test_what_a_bracket_holds_is_shared_out_wholly_and_within_it(seen, one, other):
    run_times, (lower_s, upper_s) = RunTimes(), sorted((one, other))
    for a, b in pairwise(sorted(seen)):
        run_times.learn(MODEL, a, b)

    shares = run_times.outlook(MODEL).shares(lower_s, upper_s)

    assert sum(shares.values()) == pytest.approx(1)
    assert all(share >= 0 for share in shares.values())
    assert EDGES[min(shares)] <= upper_s
    assert EDGES[max(shares) + 1] >= min(lower_s, EDGES[-1]) * (1 - 1e-9)


@tried(0.3)
@given(st.lists(ages, max_size=10))
def test_a_bracket_that_is_none_teaches_nothing(seen):
    run_times = RunTimes()
    for age_s in seen:
        run_times.learn(MODEL, age_s, age_s)
    before = run_times.outlook(MODEL).hazards

    for _ in range(50):
        run_times.learn(MODEL, 20, 10)
        run_times.learn(MODEL, math.nan, 10)

    assert run_times.outlook(MODEL).hazards == before


# ── one job's course ──


def test_a_job_never_seen_in_the_queue_counts_from_its_acceptance():
    course = Course(accepted_at=100)

    course.seen_running(now=140)
    course.seen_running(now=150)

    assert course.age_s(155) == 55
    assert course.bracket_s(155) == (50, 55)


def test_a_job_seen_in_the_queue_counts_from_when_it_was_first_seen_running():
    course = Course(accepted_at=100)

    course.seen_queued(now=120)
    course.seen_queued(now=130)
    course.seen_running(now=140)
    course.seen_running(now=180)

    assert course.age_s(185) == 50  # it began half-way between 130 and 140
    assert course.bracket_s(185) == (40, 55)


def test_a_job_that_ended_between_two_looks_ran_at_most_since_the_first_of_them():
    course = Course(accepted_at=100)

    assert course.bracket_s(130) == (0, 30)
    course.seen_queued(now=120)
    assert course.bracket_s(130) == (0, 10)


def test_a_job_put_back_in_the_queue_begins_anew():
    course = Course(accepted_at=0)

    course.seen_running(now=50)
    course.seen_queued(now=60)
    course.seen_running(now=70)

    assert course.age_s(75) == 10


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=12), st.floats(0, 100))
def test_the_age_at_the_end_lies_between_the_shortest_and_the_longest_run_time(looks, last_s):
    course, now = Course(accepted_at=0), 0.0
    for queued, later_s in looks:
        now += later_s
        (course.seen_queued if queued else course.seen_running)(now)

    shortest_s, longest_s = course.bracket_s(now + last_s)

    assert 0 <= shortest_s <= longest_s
    assert shortest_s - 1e-6 <= course.age_s(now + last_s) <= longest_s + 1e-6
