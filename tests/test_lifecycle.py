"""The table of states and events: complete, and the only way through."""

from __future__ import annotations

from itertools import product

import pytest

from batchrunner.lifecycle import (
    FINAL,
    HOLDS_REQUEST,
    OPEN,
    TRANSITIONS,
    Event,
    IllegalTransition,
    State,
    next_state,
)

OUTSIDE = [(state, event) for state, event in product(State, Event) if event not in TRANSITIONS[state]]
PAID_FOR = {State.SUBMITTED, State.READY, State.SUCCEEDED}


def reachable_from(start: State) -> set[State]:
    found, unseen = {start}, [start]
    while unseen:
        unseen += [state for state in TRANSITIONS[unseen.pop()].values() if state not in found]
        found.update(unseen)
    return found


def test_every_state_has_a_row_with_a_way_out():
    assert set(TRANSITIONS) == set(State)
    assert all(TRANSITIONS.values())


def test_every_event_happens_somewhere():
    assert {event for row in TRANSITIONS.values() for event in row} == set(Event)


def test_every_state_is_reached_from_pending():
    assert reachable_from(State.PENDING) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_can_still_end_well(state):
    assert State.SUCCEEDED in reachable_from(state)


@pytest.mark.parametrize(("state", "row"), TRANSITIONS.items())
def test_every_pair_of_the_table_leads_where_it_says(state, row):
    assert {event: next_state(state, event) for event in row} == row


@pytest.mark.parametrize(("state", "event"), OUTSIDE)
def test_a_pair_outside_the_table_raises_and_names_both(state, event):
    with pytest.raises(IllegalTransition) as raised:
        next_state(state, event)

    assert (raised.value.state, raised.value.event) == (state, event)
    assert state in str(raised.value)
    assert event in str(raised.value)


def test_each_state_is_final_open_or_unknown_and_never_two_of_them():
    assert FINAL | OPEN | {State.UNKNOWN} == set(State)
    assert not FINAL & OPEN
    assert HOLDS_REQUEST < OPEN


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_is_left_only_on_the_users_word_or_for_a_missing_file(state):
    assert set(TRANSITIONS[state]) <= {Event.RERUN, Event.EDITED, Event.FILE_MISSING}


def test_a_doubt_is_settled_by_the_users_word_alone():
    assert set(TRANSITIONS[State.UNKNOWN]) == {Event.RESUBMIT, Event.ATTACH, Event.GIVE_UP}


def test_nothing_is_sent_but_from_pending():
    assert [state for state, row in TRANSITIONS.items() if Event.SUBMIT in row] == [State.PENDING]
    assert [s for s, row in TRANSITIONS.items() if State.SUBMITTING in row.values()] == [State.PENDING]


def test_a_paid_result_never_goes_back_to_pending_by_itself():
    by_itself = {
        (state, event)
        for state in PAID_FOR
        for event, after in TRANSITIONS[state].items()
        if after is State.PENDING and event not in (Event.RERUN, Event.EDITED)
    }

    assert by_itself == {(State.SUBMITTED, Event.FAILED_THERE)}
