"""Waking everybody, and slots whose number changes while they are used."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from batchrunner.waiting import Changed, Naps, Slots

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


async def test_whoever_is_at_ease_is_woken_once_for_many_reports():
    changed, woken = Changed(), 0

    async def wait() -> None:
        nonlocal woken
        while True:
            await changed.wait_at_ease()
            woken += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        for _ in range(100):
            await anyio.sleep(0.01)
            changed.report()
        await anyio.sleep(1)
        tasks.cancel_scope.cancel()

    assert 4 <= woken <= 6


async def test_whoever_is_at_ease_is_there_at_its_instant():
    began_at, changed = anyio.current_time(), Changed()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(changed.wait_at_ease, began_at + 0.15)
        await anyio.sleep(0.1)
        changed.report()

    assert anyio.current_time() == pytest.approx(began_at + 0.15)


LOOPS = [("trio", {"clock": MockClock(autojump_threshold=0)}), ("asyncio", {"use_uvloop": False})]


@pytest.mark.parametrize("anyio_backend", LOOPS, ids=lambda each: each[0])
class TestNaps:
    async def test_a_nap_is_over_when_its_time_is(self):
        began_at, naps = anyio.current_time(), Naps()

        await naps.sleep(7, until=began_at + 0.001)

        assert anyio.current_time() >= began_at + 0.001

    async def test_a_nap_is_cut_short_by_its_number_alone(self):
        naps, risen = Naps(), []

        async def nap(number: int) -> None:
            await naps.sleep(number, until=anyio.current_time() + 86_400)
            risen.append(number)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(nap, 7)
            tasks.start_soon(nap, 8)
            await anyio.wait_all_tasks_blocked()
            naps.wake(8)
            naps.wake(8)  # asked twice before it is up
            naps.wake(9)  # nobody's
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

        assert risen == [8]

    async def test_those_who_sleep_until_the_same_instant_rise_together_but_for_who_was_woken(self):
        naps, risen = Naps(), []
        until = anyio.current_time() + 0.02

        async def nap(number: int) -> None:
            await naps.sleep(number, until=until)
            risen.append((number, anyio.current_time() >= until))

        async with anyio.create_task_group() as tasks:
            for number in (7, 8, 9):
                tasks.start_soon(nap, number)
            await anyio.wait_all_tasks_blocked()
            naps.wake(8)

        assert risen[0] == (8, False)
        assert sorted(risen[1:]) == [(7, True), (9, True)]

    async def test_a_nap_that_is_given_up_leaves_nothing_to_wake(self):
        naps = Naps()
        with anyio.move_on_after(0.001):
            await naps.sleep(7, until=anyio.current_time() + 86_400)

        naps.wake(7)

        await naps.sleep(7, until=anyio.current_time())


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
