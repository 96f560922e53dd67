"""When looks are placed: sparse, dense, sparse again, within bounds, and within the run's budget."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.policy.runtimes import Key, RunTimes
from batchrunner.policy.spacing import BEAT_S, JITTER, Pacer, Spacing, cost_s, on_the_beat
from tests.laws import tried

KEY = Key("a-model", ("duration=5",))
SHORTEST_S = 1.0
MIDDLE = 0.5
"""The draw that leaves a wait unspread."""

seconds = st.floats(0, 100_000)
draws = st.floats(0, 1, exclude_max=True)
brackets = st.lists(st.tuples(seconds, seconds | st.just(math.inf)), max_size=12)


def lognormal(rng: random.Random, mean_s: float, sigma: float) -> float:
    return rng.lognormvariate(math.log(mean_s) - sigma**2 / 2, sigma)


def knowing(*run_times_s: float, shortest_s: float = SHORTEST_S) -> Spacing:
    run_times = RunTimes()
    for run_time_s in run_times_s:
        run_times.learn(KEY, run_time_s, run_time_s)
    return Spacing(run_times, shortest_s)


def after(learnt: list[tuple[float, float]], shortest_s: float = SHORTEST_S) -> Spacing:
    run_times = RunTimes()
    for lower_s, upper_s in learnt:
        run_times.learn(KEY, lower_s, upper_s)
    return Spacing(run_times, shortest_s)


def well_known(median_s: float = 65.0, sigma: float = 0.15, shortest_s: float = SHORTEST_S) -> Spacing:
    rng = random.Random(2)
    return knowing(*(lognormal(rng, median_s, sigma) for _ in range(400)), shortest_s=shortest_s)


def looks_and_delay(run_times_s: list[float], shortest_s: float = SHORTEST_S) -> tuple[float, float]:
    """Watch one job after the other, learning from nothing; return looks per job and the mean delay."""
    spacing, uniform = Spacing(RunTimes(), shortest_s), random.Random(3).random
    looks, delay_s = 0, 0.0
    for run_time_s in run_times_s:
        watched, now = spacing.lookout(KEY, accepted_at=0.0), 0.0
        wait_s = watched.first_s(0.0, uniform())
        while (now := now + wait_s) < run_time_s:
            looks, wait_s = looks + 1, watched.running_s(now, uniform())
        watched.ended(now)
        looks, delay_s = looks + 1, delay_s + now - run_time_s
    return looks / len(run_times_s), delay_s / len(run_times_s)


def looks_at_fixed_interval(run_times_s: list[float], mean_delay_s: float) -> float:
    """An interval sees an end half of itself late."""
    interval_s = 2 * mean_delay_s
    return sum(math.ceil(run_time_s / interval_s) for run_time_s in run_times_s) / len(run_times_s)


# ── where the looks fall ──


def test_looks_are_sparse_before_the_usual_run_time_dense_around_it_and_wider_in_the_tail():
    spacing = well_known(65, sigma=0.15)

    early_s, around_s, late_s, very_late_s = (
        spacing.next_look_s(KEY, age_s, MIDDLE) for age_s in (0, 65, 200, 2000)
    )

    assert early_s > 35
    assert around_s < 3
    assert around_s < late_s < very_late_s


def test_before_anything_is_known_the_wait_grows_with_the_age():
    spacing = Spacing(RunTimes(), SHORTEST_S)

    waits_s = [spacing.next_look_s(KEY, age_s, MIDDLE) for age_s in (0, 10, 100, 1000)]

    assert waits_s[0] < 1.1 * SHORTEST_S
    assert waits_s[2:] == pytest.approx([13, 130], rel=0.1)


def test_times_thirty_times_longer_are_looked_at_thirty_times_less_often():
    factor = math.exp(0.04 * 85)  # whole bins, so that nothing but the scale differs
    short, long = well_known(2, shortest_s=0.05), well_known(2 * factor, shortest_s=0.05 * factor)

    for age_s in (0.5, 1.5, 2, 3, 8):
        wait_s = short.next_look_s(KEY, age_s, MIDDLE)
        assert long.next_look_s(KEY, age_s * factor, MIDDLE) == pytest.approx(factor * wait_s, rel=0.05)


def test_a_look_is_dearer_at_longer_jobs_and_for_those_who_allow_fewer():
    assert cost_s(65, 2) > cost_s(65, 0.5) > cost_s(2, 0.5)


@pytest.mark.parametrize(
    ("sigma", "at_most"),
    [pytest.param(0.42, 0.75, id="widely spread"), pytest.param(0.15, 0.40, id="one model and setting")],
)
def test_it_needs_fewer_looks_than_a_fixed_interval_that_sees_the_ends_as_soon(sigma, at_most):
    rng = random.Random(4)
    run_times_s = [lognormal(rng, 65, sigma) for _ in range(800)]

    looks, delay_s = looks_and_delay(run_times_s)

    assert looks < 18
    assert looks <= at_most * looks_at_fixed_interval(run_times_s, delay_s)


def test_where_nothing_can_be_known_it_loses_little_against_a_fixed_interval():
    rng = random.Random(5)
    run_times_s = [rng.expovariate(1 / 65) for _ in range(800)]

    looks, delay_s = looks_and_delay(run_times_s)

    assert looks <= 1.15 * looks_at_fixed_interval(run_times_s, delay_s)


def test_jobs_of_two_seconds_are_seen_at_their_end_within_a_twentieth_of_their_time():
    rng = random.Random(6)
    run_times_s = [lognormal(rng, 2.2, 0.42) for _ in range(500)]

    looks, delay_s = looks_and_delay(run_times_s, shortest_s=0.05)

    assert looks <= 20
    assert delay_s <= 0.05 * 2.2


# ── laws ──


@tried(0.2)
@given(brackets, seconds, draws, st.floats(0, 600))
def test_no_wait_is_below_the_shortest_or_above_the_bound(learnt, age_s, uniform, shortest_s):
    spacing = after(learnt, shortest_s)
    median_s = spacing.run_times.outlook(KEY).median_s or 0.0

    wait_s = spacing.next_look_s(KEY, age_s, uniform)

    assert shortest_s <= wait_s <= max(shortest_s * (1 + JITTER), median_s, age_s / 2)


@tried(0.2)
@given(brackets, seconds, draws)
def test_past_the_median_a_wait_is_at_most_nine_times_the_one_of_somebody_who_knows_nothing(
    learnt, age_s, uniform
):
    spacing = after(learnt)
    age_s = max(age_s, spacing.run_times.outlook(KEY).median_s or 0.0)

    ignorant_s = Spacing(RunTimes(), SHORTEST_S).next_look_s(KEY, age_s, uniform)

    assert spacing.next_look_s(KEY, age_s, uniform) <= 9 * ignorant_s


@tried(0.2)
@given(brackets, seconds, seconds, draws)
def test_who_asks_later_looks_later(learnt, one, other, uniform):
    spacing = after(learnt)
    earlier_s, later_s = sorted((one, other))

    earlier_look_s = earlier_s + spacing.next_look_s(KEY, earlier_s, uniform)
    later_look_s = later_s + spacing.next_look_s(KEY, later_s, uniform)

    assert later_look_s >= earlier_look_s * (1 - 1e-9)


@tried(0.2)
@given(brackets, seconds, draws, st.floats(0.01, 60), st.floats(0.01, 60))
def test_who_asks_for_a_longer_shortest_wait_never_waits_less(learnt, age_s, uniform, one, other):
    shorter_s, longer_s = sorted((one, other))
    eager = after(learnt, shorter_s)
    patient = Spacing(eager.run_times, longer_s)

    eager_wait_s, patient_wait_s = (each.next_look_s(KEY, age_s, uniform) for each in (eager, patient))

    assert eager_wait_s <= patient_wait_s * (1 + 1e-9)


@tried(0.2)
@given(brackets, seconds, draws, st.floats(0.001, 1), st.floats(0.001, 1))
def test_the_fewer_are_in_flight_and_nothing_waits_the_sooner_a_look(learnt, age_s, uniform, one, other):
    spacing = after(learnt)
    lonely, crowded = sorted((one, other))

    lonely_s, crowded_s = (spacing.next_look_s(KEY, age_s, uniform, crowd) for crowd in (lonely, crowded))

    assert SHORTEST_S <= lonely_s <= crowded_s


def test_a_quarter_of_the_crowd_is_looked_at_twice_as_often():
    spacing = well_known(shortest_s=0.001)

    whole_s, quarter_s = (spacing.next_look_s(KEY, 65, MIDDLE, crowd) for crowd in (1.0, 0.25))

    assert quarter_s == pytest.approx(whole_s / 2, rel=0.1)


@tried(0.2)
@given(brackets, seconds, draws, st.floats(0, 100))
def test_the_shortest_wait_is_from_look_to_look_however_long_an_answer_takes(learnt, age_s, uniform, since_s):
    spacing = after(learnt)

    wait_s = spacing.next_look_s(KEY, age_s, uniform, since_s=since_s)

    assert since_s + wait_s >= SHORTEST_S - 1e-9
    assert wait_s <= spacing.next_look_s(KEY, age_s, uniform)


@pytest.mark.parametrize("age_s", [0, 20, 65, 500])
@pytest.mark.parametrize("shortest_s", [0.1, 30])
def test_jobs_of_one_age_are_not_looked_at_together(age_s, shortest_s):
    spacing = well_known(shortest_s=shortest_s)

    waits_s = [spacing.next_look_s(KEY, age_s, i / 20) for i in range(20)]

    assert len(set(waits_s)) > 10
    assert max(waits_s) < 1.5 * min(waits_s)


# ── the queue ──


def test_in_the_queue_the_next_look_is_half_way_to_the_start():
    spacing = well_known(65)
    spacing.queue_moved(KEY, places=10, seconds=60)

    assert spacing.next_queue_look_s(KEY, 20, 5.0, MIDDLE) == pytest.approx(60, rel=0.05)
    assert spacing.next_queue_look_s(KEY, 4, 5.0, MIDDLE) == pytest.approx(12, rel=0.05)


def test_when_a_job_starts_is_not_asked_more_exactly_than_its_run_time_needs():
    spacing = well_known(65)
    spacing.queue_moved(KEY, places=10, seconds=10)

    assert spacing.next_queue_look_s(KEY, 1, 5.0, MIDDLE) == pytest.approx(6.5, rel=0.1)


def test_a_queue_nobody_saw_move_is_looked_at_after_half_the_time_waited_so_far():
    spacing = knowing(65)

    assert spacing.next_queue_look_s(KEY, 7, 40.0, MIDDLE) == pytest.approx(20, rel=0.05)
    assert spacing.next_queue_look_s(KEY, None, 40.0, MIDDLE) == pytest.approx(20, rel=0.05)


def test_a_queue_that_was_only_seen_to_grow_says_nothing_of_the_start():
    spacing = knowing(65)
    spacing.queue_moved(KEY, places=-3, seconds=30)

    assert spacing.next_queue_look_s(KEY, 7, 40.0, MIDDLE) == pytest.approx(20, rel=0.05)


def test_the_queue_of_one_model_says_nothing_of_another():
    spacing, other = well_known(65), Key("another-model")
    spacing.queue_moved(other, places=1000, seconds=1)

    assert spacing.next_queue_look_s(KEY, 20, 60.0, MIDDLE) == pytest.approx(30, rel=0.05)


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.floats(0, 10_000)), max_size=20),
    st.none() | st.integers(-5, 10**6),
    seconds,
    draws,
)
def test_no_wait_in_the_queue_is_below_the_shortest_or_above_the_bound(moves, position, waited_s, uniform):
    spacing = knowing(65)
    for places, moved_s in moves:
        spacing.queue_moved(KEY, places, moved_s)

    wait_s = spacing.next_queue_look_s(KEY, position, waited_s, uniform)

    median_s = spacing.run_times.outlook(KEY).median_s
    assert SHORTEST_S <= wait_s <= max(SHORTEST_S * (1 + JITTER), median_s, waited_s / 2)


# ── one job ──


def test_a_watched_job_teaches_its_run_time_without_its_time_in_the_queue():
    spacing = Spacing(RunTimes(), SHORTEST_S)
    for _ in range(50):
        watched = spacing.lookout(KEY, accepted_at=1000)
        watched.queued_s(1500, 3, MIDDLE)
        watched.running_s(1502, MIDDLE)
        watched.running_s(1560, MIDDLE)
        watched.ended(1563)

    assert spacing.run_times.outlook(KEY).median_s == pytest.approx(60, rel=0.05)


def test_positions_seen_by_watched_jobs_tell_how_fast_the_queue_moves():
    spacing = well_known(65)
    watched = spacing.lookout(KEY, accepted_at=0)
    watched.queued_s(10, 9, MIDDLE)
    watched.queued_s(40, 4, MIDDLE)  # 5 places in 30 s

    assert spacing.next_queue_look_s(KEY, 10, 0.0, MIDDLE) == pytest.approx(30, rel=0.05)


def test_a_watched_job_that_starts_has_moved_on_by_all_places_before_it():
    spacing = well_known(65)
    watched = spacing.lookout(KEY, accepted_at=0)
    watched.queued_s(10, 9, MIDDLE)
    watched.running_s(64, MIDDLE)  # 9 places in 54 s

    assert spacing.next_queue_look_s(KEY, 10, 0.0, MIDDLE) == pytest.approx(30, rel=0.05)


def test_a_job_of_an_earlier_run_that_ended_while_nobody_looked_teaches_nothing():
    spacing = Spacing(RunTimes(), SHORTEST_S)

    spacing.lookout(KEY, accepted_at=0, taken_over=True).ended(30_000)

    assert spacing.run_times.outlook(KEY).median_s is None


def test_a_job_of_an_earlier_run_that_still_runs_is_learnt_from():
    spacing = Spacing(RunTimes(), SHORTEST_S)
    watched = spacing.lookout(KEY, accepted_at=0, taken_over=True)

    watched.running_s(58, MIDDLE)
    watched.ended(62)

    assert spacing.run_times.outlook(KEY).median_s == pytest.approx(60, rel=0.1)


# ── the budget ──


@given(st.floats(0, 1e5), st.floats(0, 1e6), st.floats(0, 60))
def test_on_the_beat_a_look_moves_by_a_beat_at_most_and_never_before_the_shortest_wait(
    wait_s, now, shortest_s
):
    waited_s = on_the_beat(wait_s, now, shortest_s) - now

    assert abs(waited_s - wait_s) <= BEAT_S + 1e-9
    assert waited_s >= min(wait_s, shortest_s) - 1e-9


@given(st.floats(0.1, 1e4), st.floats(0, 1e5))
def test_looks_that_fall_due_about_the_same_time_go_out_together(wait_s, now):
    due = math.floor((now + wait_s) / BEAT_S) * BEAT_S
    waits_s = [due - now + BEAT_S * share for share in (1.6, 1.9, 2.1, 2.4)]

    beats = {on_the_beat(each, now, 0.0) for each in waits_s}

    assert len(beats) == 1


def test_a_look_within_the_budget_does_not_wait():
    pacer = Pacer(per_s=10)

    assert [pacer.turn_s(now) for now in (0, 0.2, 0.5, 7)] == [0, 0, 0, 0]


def test_without_a_budget_nobody_waits():
    pacer = Pacer(per_s=math.inf)

    assert {pacer.turn_s(3.0) for _ in range(1000)} == {0.0}


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0.1, 50))
def test_the_budget_is_never_exceeded_and_turns_keep_their_order(pauses_s, per_s):
    pacer, now, turns = Pacer(per_s=per_s), 0.0, []
    for pause_s in pauses_s:
        now += pause_s
        turns.append(now + pacer.turn_s(now))

    assert turns == sorted(turns)
    for i, first in enumerate(turns):
        for j, last in enumerate(turns[i:], start=1):
            assert j <= (last - first) * per_s + 1 + 1e-6


def test_when_the_budget_is_short_the_looks_of_all_jobs_are_late_by_the_same():
    pacer = Pacer(per_s=2)
    waits_s = {"eager": 0.1, "eager too": 0.1, "patient": 0.9, "patient too": 0.9}
    due_at, late_s = dict.fromkeys(waits_s, 0.0), {job: [] for job in waits_s}

    for _ in range(400):
        job = min(due_at, key=due_at.__getitem__)
        late_s[job].append(pacer.turn_s(due_at[job]))
        due_at[job] += late_s[job][-1] + waits_s[job]

    means_s = [sum(late) / len(late) for late in late_s.values()]
    assert means_s == pytest.approx([1.5] * 4, abs=0.1)
