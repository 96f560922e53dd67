"""The run's one switch: it only gets stricter, keeps the first reason, and spares what is on the wire."""

from __future__ import annotations

import anyio
import pytest
from trio.testing import MockClock

from batchrunner.errors import AccountRefused, DiskTrouble, Exit
from batchrunner.stopping import WIRE_GRACE_S, Phase, Stopping
from batchrunner.waiting import Changed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
async def stopping() -> Stopping:
    return Stopping(Changed())


async def test_nothing_is_requested_at_first(stopping):
    assert not stopping.requested
    assert stopping.exit_code is None


async def test_draining_cuts_nothing_off(stopping):
    stopping.drain("--until has come")

    assert (stopping.phase, stopping.reason, stopping.exit_code) == (Phase.DRAINING, "--until has come", None)
    assert not stopping.now_scope.cancel_called


async def test_draining_may_end_with_the_code_of_its_reason(stopping):
    stopping.drain("nearly full", DiskTrouble("nearly full"))

    assert stopping.exit_code is Exit.DISK


async def test_the_first_reason_to_drain_is_kept(stopping):
    stopping.drain("one")
    stopping.drain("two")

    assert stopping.reason == "one"


async def test_at_once_outdoes_draining_and_is_not_outdone(stopping):
    stopping.drain("one")
    stopping.now("two", Exit.TERMINATED)
    stopping.now("three", Exit.HUNG_UP)
    stopping.drain("four")

    assert (stopping.phase, stopping.reason, stopping.exit_code) == (Phase.NOW, "two", Exit.TERMINATED)
    assert stopping.now_scope.cancel_called


async def test_an_error_is_kept_with_its_code(stopping):
    error = AccountRefused("no balance")

    stopping.fail(error)
    stopping.fail(DiskTrouble("full"))

    assert (stopping.error, stopping.exit_code, stopping.reason) == (error, Exit.ACCOUNT, "no balance")


async def test_whoever_waits_for_a_change_hears_of_the_end():
    changed = Changed()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(changed.wait)
        await anyio.wait_all_tasks_blocked()
        Stopping(changed).drain("stop")


async def on_the_wire(stopping: Stopping, seconds: float) -> bool:
    """Send something that takes so long; return whether it came to its end."""
    with stopping.on_the_wire():
        await anyio.sleep(seconds)
        return True
    return False


@pytest.mark.parametrize(("seconds", "whole"), [(WIRE_GRACE_S - 1, True), (WIRE_GRACE_S + 1, False)])
async def test_what_is_on_the_wire_gets_its_time_of_grace(stopping, seconds, whole):
    outcome = []

    async def send() -> None:
        with stopping.now_scope:
            outcome.append(await on_the_wire(stopping, seconds))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        stopping.now("stopped", Exit.TERMINATED)

    assert outcome == [whole]


async def test_an_error_of_the_run_waits_for_what_is_on_the_wire_but_a_signal_then_shortens_it(stopping):
    began_at, ended_at = anyio.current_time(), []

    async def send(seconds: float) -> None:
        await on_the_wire(stopping, seconds)
        ended_at.append(anyio.current_time() - began_at)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, 60)
        tasks.start_soon(send, 600)
        await anyio.wait_all_tasks_blocked()
        stopping.fail(AccountRefused("no balance"))
        await anyio.sleep(100)
        stopping.now("stopped", Exit.INTERRUPTED)

    assert ended_at == [60, 100 + WIRE_GRACE_S]
    assert stopping.exit_code is Exit.ACCOUNT
