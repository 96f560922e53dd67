"""The one writer: steps of many tasks in one commit, each durable before its caller goes on."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial

import anyio
import pytest

from batchrunner.errors import DiskTrouble
from batchrunner.ledger import LedgerWriter, StaleWrite, Store
from batchrunner.ledger import writer as writer_module
from batchrunner.ledger.writer import PATIENT_ENOUGH
from batchrunner.lifecycle import State
from tests.builders import rid, some_jobs, take, the

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@asynccontextmanager
async def writing(path, jobs: int = 20) -> AsyncIterator[tuple[LedgerWriter, Store]]:
    with closing(Store.open(path)) as store:
        take(store, some_jobs(jobs))
        writer = LedgerWriter(store)
        async with writer.running():
            yield writer, store


async def test_a_step_is_durable_when_its_caller_goes_on(path):
    async with writing(path) as (writer, _):
        entry = await writer.do(lambda store: store.intend(1, 1.0))

        with closing(Store.read_only(path)) as reader:
            assert reader.entry(1) == entry
            assert entry.state is State.SUBMITTING


async def test_steps_of_one_round_of_the_event_loop_share_a_commit(path):
    commits: list[str] = []
    loop = asyncio.get_running_loop()

    async with writing(path) as (writer, store), anyio.create_task_group() as tasks:
        store.connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        for seq in range(1, 21):
            tasks.start_soon(writer.do, lambda ledger, seq=seq: ledger.intend(seq, 1.0))
            loop.call_soon(time.sleep, 0.001)  # other threads get to work, as when a socket is written to

    assert len(commits) == 1


async def test_a_patient_step_shares_the_commit_of_an_urgent_one(path):
    commits: list[str] = []

    async with writing(path) as (writer, store), anyio.create_task_group() as tasks:
        store.connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        tasks.start_soon(partial(writer.do, lambda store: store.intend(1, 1.0), patiently=True))
        tasks.start_soon(writer.do, lambda store: store.intend(2, 1.0))

    assert len(commits) == 1


async def test_many_patient_steps_wait_for_nobody(path, monkeypatch):
    monkeypatch.setattr(writer_module, "PATIENCE_S", 3600.0)

    with anyio.fail_after(5):
        async with writing(path) as (writer, _), anyio.create_task_group() as tasks:
            for _ in range(PATIENT_ENOUGH):
                tasks.start_soon(partial(writer.do, lambda store: store.fact("any"), patiently=True))


async def test_a_patient_step_that_nobody_joins_is_durable_soon(path):
    async with writing(path) as (writer, _):
        await writer.do(lambda store: store.intend(1, 1.0), patiently=True)

        with closing(Store.read_only(path)) as reader:
            assert reader.entry(1).state is State.SUBMITTING


async def test_a_patient_step_is_committed_when_everything_is_cancelled(path):
    async with writing(path) as (writer, _), anyio.create_task_group() as tasks:
        tasks.start_soon(partial(writer.do, lambda store: store.intend(1, 1.0), patiently=True))
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()

    with closing(Store.read_only(path)) as reader:
        assert reader.entry(1).state is State.SUBMITTING


async def test_a_step_waits_for_whoever_has_the_ledger_alone(path):
    async with writing(path) as (writer, store), anyio.create_task_group() as tasks:
        with writer.alone():
            tasks.start_soon(writer.do, lambda ledger: ledger.intend(1, 1.0))
            await anyio.wait_all_tasks_blocked()
            with store.transaction():
                await anyio.to_thread.run_sync(store.set_fact, "alone", "yes")

    with closing(Store.read_only(path)) as reader:
        assert reader.entry(1).state is State.SUBMITTING
        assert reader.fact("alone") == "yes"


async def test_steps_run_off_the_event_loop(path):
    async with writing(path) as (writer, _):
        thread = await writer.do(lambda store: threading.current_thread())

    assert thread is not threading.main_thread()


async def test_a_step_that_raises_undoes_only_itself(path):
    outcomes: dict[str, object] = {}

    async def call(name, step):
        try:
            outcomes[name] = await writer.do(step)
        except (StaleWrite, ZeroDivisionError) as error:
            outcomes[name] = error

    def half_done(store):
        store.intend(2, 1.0)
        raise ZeroDivisionError

    async with writing(path) as (writer, store):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, "good", lambda store: store.intend(1, 1.0))
            tasks.start_soon(call, "half", half_done)
            tasks.start_soon(call, "stale", lambda store: store.accepted(3, rid(), 1.0))
            tasks.start_soon(call, "later", lambda store: store.intend(4, 1.0))

        assert isinstance(outcomes["half"], ZeroDivisionError)
        assert isinstance(outcomes["stale"], StaleWrite)
        states = [the(store, f"job-{number:02d}").state for number in range(4)]
        assert states == [State.SUBMITTING, State.PENDING, State.PENDING, State.SUBMITTING]


async def test_a_cancelled_callers_step_is_committed_all_the_same(path):
    async with writing(path) as (writer, _):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await writer.do(lambda store: store.intend(1, 1.0))

        assert scope.cancelled_caught

    with closing(Store.read_only(path)) as reader:
        assert reader.entry(1).state is State.SUBMITTING


async def test_what_is_queued_is_committed_when_everything_is_cancelled(path):
    with closing(Store.open(path)) as store:
        take(store, some_jobs(5))
        with anyio.CancelScope() as scope:
            writer = LedgerWriter(store)
            async with writer.running(), anyio.create_task_group() as tasks:
                for seq in range(1, 6):
                    tasks.start_soon(writer.do, lambda ledger, seq=seq: ledger.intend(seq, 1.0))
                await anyio.lowlevel.checkpoint()
                scope.cancel()

        assert store.counts()[State.SUBMITTING] == 5


async def test_a_full_disk_is_trouble_for_the_whole_batch_and_leaves_what_was_there(path):
    troubles: list[DiskTrouble] = []

    async def call(step):
        try:
            await writer.do(step)
        except DiskTrouble as trouble:
            troubles.append(trouble)

    async with writing(path) as (writer, store):
        pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages}")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, lambda ledger: ledger.set_fact("small", "x"))
            tasks.start_soon(call, lambda ledger: ledger.set_fact("big", "x" * 1_000_000))
            tasks.start_soon(call, lambda ledger: ledger.set_fact("other", "x"))

        assert len(troubles) == 3
        assert [store.fact(key) for key in ("small", "big", "other")] == [None, None, None]
        assert store.counts()[State.PENDING] == 20

        store.connection.execute("PRAGMA max_page_count = 1000000")
        await writer.do(lambda ledger: ledger.set_fact("big", "x" * 1_000_000))
        assert store.fact("big")


async def test_a_folder_that_fails_under_a_step_is_trouble_too(path):
    def look_at_a_dead_disk(store):
        raise OSError(errno.EIO, "Input/output error")

    async with writing(path) as (writer, _):
        with pytest.raises(DiskTrouble):
            await writer.do(look_at_a_dead_disk)
        assert await writer.do(lambda store: store.fact("origin")) is None


async def test_a_mistake_of_ours_is_no_disk_trouble(path):
    async with writing(path) as (writer, _):
        with pytest.raises(sqlite3.OperationalError):
            await writer.do(lambda store: store.connection.execute("SELECT nowhere FROM jobs"))
        assert await writer.do(lambda store: store.fact("origin")) is None


async def test_all_steps_of_a_run_are_taken_on_one_thread(path):
    async with writing(path) as (writer, _):
        threads = {await writer.do(lambda store: threading.get_ident()) for _ in range(3)}

    assert len(threads) == 1


async def test_a_step_that_comes_too_late_is_refused_and_waits_for_nothing(path):
    async with writing(path) as (writer, _):
        await writer.do(lambda store: store.intend(1, 1.0))

    with pytest.raises(RuntimeError, match="not running"):
        await writer.do(lambda store: store.intend(2, 1.0))


async def test_a_step_that_ends_its_thread_is_heard_of_by_all_and_ends_nothing(path):
    heard: list[BaseException] = []

    async def call(step):
        try:
            await writer.do(step)
        except SystemExit as error:
            heard.append(error)

    def leave(store):
        store.intend(1, 1.0)
        raise SystemExit

    async with writing(path) as (writer, store):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, leave)
            tasks.start_soon(call, lambda ledger: ledger.intend(2, 1.0))
        await writer.do(lambda ledger: ledger.intend(3, 1.0))

        assert heard
        assert the(store, "job-00").state is State.PENDING
        assert the(store, "job-02").state is State.SUBMITTING


async def test_in_memory_steps_run_where_they_are_called():
    store = Store.in_memory()
    take(store, some_jobs(1))
    writer = LedgerWriter(store, in_thread=False)

    async with writer.running():
        assert await writer.do(lambda ledger: threading.current_thread()) is threading.main_thread()
        with pytest.raises(StaleWrite):
            await writer.do(lambda ledger: ledger.accepted(1, rid(), 1.0))
        assert (await writer.do(lambda ledger: ledger.intend(1, 1.0))).state is State.SUBMITTING
