"""Laws of the slots: never more at once than there are, first come first served, and nobody waits for
nothing.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.simulator.schedule import Schedule, Span

ARRIVALS = st.lists(
    st.tuples(st.floats(0, 10), st.floats(0.1, 20)), min_size=1, max_size=40
)  # (seconds since the one before, seconds in the slot)


def placed(slots: int, arrivals: list[tuple[float, float]]) -> list[tuple[float, Span]]:
    schedule, now, spans = Schedule(slots), 0.0, []
    for number, (gap, service_s) in enumerate(arrivals, start=1):
        now += gap
        spans.append((now, schedule.place(number, service_s, now)))
    return spans


def busy(spans: list[Span], instant: float) -> int:
    return sum(span.start_at <= instant < span.end_at for span in spans)


@settings(deadline=None)  # a busy machine is no failure
@given(slots=st.integers(1, 5), arrivals=ARRIVALS)
def test_never_more_requests_are_worked_on_than_there_are_slots(slots, arrivals):
    spans = [span for _, span in placed(slots, arrivals)]

    assert all(busy(spans, span.start_at) <= slots for span in spans)


@settings(deadline=None)  # a busy machine is no failure
@given(slots=st.integers(1, 5), arrivals=ARRIVALS)
def test_first_come_is_first_served(slots, arrivals):
    starts = [span.start_at for _, span in placed(slots, arrivals)]

    assert starts == sorted(starts)


@settings(deadline=None)  # a busy machine is no failure
@given(slots=st.integers(1, 5), arrivals=ARRIVALS)
def test_nobody_waits_while_a_slot_is_free(slots, arrivals):
    spans = placed(slots, arrivals)

    for index, (arrived_at, span) in enumerate(spans):
        if span.start_at > arrived_at:
            before = [earlier for _, earlier in spans[:index]]
            assert sum(earlier.end_at >= span.start_at > earlier.start_at for earlier in before) >= slots


@settings(deadline=None)  # a busy machine is no failure
@given(slots=st.integers(1, 5), arrivals=ARRIVALS)
def test_a_schedule_that_is_opened_again_goes_on_as_the_old_one(slots, arrivals):
    *first, last = placed(slots, arrivals)

    reopened = Schedule(slots, [span for _, span in first])

    arrived_at, span = last
    assert reopened.place(span.number, arrivals[-1][1], arrived_at) == span


def test_positions_count_from_one_and_shrink_as_others_start():
    schedule = Schedule(1)
    for number in (1, 2, 3):
        schedule.place(number, 10.0, now=0.0)

    assert [schedule.position(number, 0.0) for number in (2, 3)] == [1, 2]
    assert schedule.position(3, 10.0) == 1


def test_those_behind_a_cancelled_one_move_up():
    schedule = Schedule(1)
    first, _, third = (schedule.place(number, 10.0, now=0.0) for number in (1, 2, 3))

    (moved,) = schedule.replace([first, third], now=4.0)

    assert (moved.number, moved.start_at, moved.end_at) == (3, 10.0, 20.0)
    assert schedule.position(3, 4.0) == 1


def test_requests_in_flight_are_those_accepted_and_not_ended():
    schedule = Schedule(1)
    for number in (1, 2):
        schedule.place(number, 10.0, now=0.0)

    assert [schedule.in_flight(now) for now in (0.0, 9.9, 10.0, 20.0)] == [2, 2, 1, 0]
