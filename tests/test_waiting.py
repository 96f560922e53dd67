"""Waking everybody, and slots whose number changes while they are used."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from batchrunner.waiting import Changed, Slots

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_one_report_wakes_everybody_who_waits():
    changed, woken = Changed(), []

    async def wait(name: int) -> None:
        await changed.wait()
        woken.append((name, anyio.current_time()))

    began_at = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for name in range(3):
            tasks.start_soon(wait, name)
        await anyio.sleep(5)
        changed.report()

    assert sorted(woken) == [(name, began_at + 5) for name in range(3)]


async def test_a_wait_ends_at_its_instant_without_a_report():
    began_at = anyio.current_time()

    await Changed().wait(began_at + 60)

    assert anyio.current_time() == began_at + 60


async def test_an_instant_that_is_over_does_not_wait():
    began_at = anyio.current_time()

    await Changed().wait(began_at - 1)

    assert anyio.current_time() == began_at


async def test_a_report_from_before_does_not_count():
    changed = Changed()
    changed.report()

    with anyio.move_on_after(10) as scope:
        await changed.wait()

    assert scope.cancelled_caught


async def test_a_slot_comes_back_once_however_often_it_is_released():
    slots = Slots(lambda: 2, Changed())
    with slots.take() as slot:
        slots.take()
        slot.release()
        slot.release()

    assert slots.in_use == 1


async def test_a_slot_comes_back_when_its_holder_fails():
    slots = Slots(lambda: 1, Changed())

    with pytest.raises(ZeroDivisionError), slots.take():
        raise ZeroDivisionError

    assert slots.free


async def test_a_slot_that_comes_back_is_reported():
    changed = Changed()
    slots = Slots(lambda: 1, changed)
    slot = slots.take()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(changed.wait)
        await anyio.wait_all_tasks_blocked()
        slot.release()

    assert slots.free


@given(st.lists(st.integers(1, 6) | st.none() | st.just("back"), max_size=60))
def test_a_lowered_limit_takes_effect_as_places_come_back(events):
    limit, held = 3, []
    slots = Slots(lambda: limit, Changed())

    for event in events:
        if isinstance(event, int):
            limit = event
        elif event == "back" and held:
            held.pop().release()
        elif event is None and slots.free:
            held.append(slots.take())
            assert slots.in_use <= limit

        assert slots.in_use == len(held)
        assert slots.free == (len(held) < limit)
