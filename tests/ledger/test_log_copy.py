"""A run's first commit waits in the log, durable and to be read, until the submissions have left."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, closing

import anyio
import anyio.lowlevel
import pytest

from batchrunner.ledger import LedgerWriter, Store
from batchrunner.ledger.log_copy import PAGES, SMALL_BYTES, LogCopy, put_off
from tests.builders import a_job, some_jobs, take

pytestmark = pytest.mark.anyio

LONG = "x" * 10_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def many():
    return (a_job(f"job-{number}", row=number, text=LONG) for number in range(2 * SMALL_BYTES // len(LONG)))


@asynccontextmanager
async def copied_beside(writer, path):
    copying = LogCopy(writer, path, after_s=0)
    async with writer.running(), anyio.create_task_group() as tasks:
        tasks.start_soon(copying.run)
        yield
        await copying.end()


async def commits_kept_short(writer):
    with anyio.fail_after(10):
        while await writer.do(kept_short) != PAGES:
            await anyio.lowlevel.checkpoint()


def kept_short(store):
    return store.connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]


async def test_the_commit_stays_in_the_log_until_it_is_copied(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        put_off(store)
        take(store, many())
        before = path.stat().st_size

        with closing(Store.read_only(path)) as reader:
            assert sum(reader.counts().values()) == sum(1 for _ in many())
        writer = LedgerWriter(store)
        async with copied_beside(writer, path):
            await commits_kept_short(writer)

        assert before < SMALL_BYTES < path.stat().st_size
        assert kept_short(store) == PAGES


async def test_commits_are_copied_every_few_dozen_long_before_one_of_them_has_to(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        take(store, some_jobs(20))
        store.checkpoint()
        before = path.read_bytes()
        writer = LedgerWriter(store)
        async with copied_beside(writer, path):
            with anyio.fail_after(10):
                while path.read_bytes() == before:
                    await writer.do(lambda ledger: ledger.set_fact("simulated", "1"))

        assert path.with_name(f"{path.name}-wal").stat().st_size < SMALL_BYTES


async def test_a_ledger_that_is_gone_is_for_the_next_step_to_name(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        put_off(store)
        writer = LedgerWriter(store)
        async with writer.running():
            await LogCopy(writer, tmp_path / "nowhere" / "ledger.sqlite", after_s=0).run()

        assert kept_short(store) == PAGES


async def test_whoever_uses_the_ledger_after_its_end_meets_no_step_of_it(tmp_path):
    path, goes_on = tmp_path / "ledger.sqlite", threading.Event()
    with closing(Store.open(path)) as store:
        put_off(store)
        writer = LedgerWriter(store)
        copying = LogCopy(writer, path, after_s=0)
        async with writer.running(), anyio.create_task_group() as tasks:
            tasks.start_soon(writer.do, lambda ledger: goes_on.wait(10))
            tasks.start_soon(copying.run)
            await anyio.wait_all_tasks_blocked()
            asyncio.get_running_loop().call_later(0, goes_on.set)
            await copying.end()

            with store.transaction():  # would be one within another
                assert kept_short(store) == PAGES


async def test_one_that_ends_before_it_began_does_nothing(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        put_off(store)
        writer = LedgerWriter(store)
        copying = LogCopy(writer, path, after_s=0)
        async with writer.running():
            await copying.end()
            await copying.run()

        assert kept_short(store) == 0
