"""A turn among the downloads: bytes come in while others are finished, and no faster than that."""

from __future__ import annotations

import anyio
import pytest
from anyio import CapacityLimiter
from trio.testing import wait_all_tasks_blocked

from batchrunner.pool.saving import Turn

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


async def test_the_next_film_is_received_while_one_is_finished_and_a_third_waits_for_the_disk():
    receiving, finishing = CapacityLimiter(1), CapacityLimiter(1)
    steps: list[str] = []
    synced = {name: anyio.Event() for name in "abc"}

    async def film(name: str) -> None:
        turn = Turn(receiving, finishing)
        await turn.receive()
        steps.append(f"{name} comes in")
        await turn.finish()
        steps.append(f"{name} is finished")
        await synced[name].wait()
        turn.end()

    async with anyio.create_task_group() as films:
        for name in synced:
            films.start_soon(film, name)
            await wait_all_tasks_blocked()
        assert steps == ["a comes in", "a is finished", "b comes in"]
        for name, then in (("a", ["b is finished", "c comes in"]), ("b", ["c is finished"]), ("c", [])):
            steps.clear()
            synced[name].set()
            await wait_all_tasks_blocked()
            assert steps == then

    assert (receiving.borrowed_tokens, finishing.borrowed_tokens) == (0, 0)


async def test_a_film_that_is_tried_again_waits_for_its_turn_again():
    receiving, finishing = CapacityLimiter(1), CapacityLimiter(1)
    turn = Turn(receiving, finishing)
    await turn.receive()
    await turn.receive()
    await turn.finish()

    await turn.receive()

    assert (receiving.borrowed_tokens, finishing.borrowed_tokens) == (1, 0)
    turn.end()
    turn.end()
    assert receiving.borrowed_tokens == 0
