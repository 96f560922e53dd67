"""A run's first commit waits in the log, durable and to be read, until the submissions have left."""

from __future__ import annotations

from contextlib import closing

import pytest

from batchrunner.ledger import LedgerWriter, Store
from batchrunner.ledger.log_copy import PAGES, SMALL_BYTES, copy_soon, put_off
from tests.builders import a_job, take

pytestmark = pytest.mark.anyio

LONG = "x" * 10_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def many():
    return (a_job(f"job-{number}", row=number, text=LONG) for number in range(2 * SMALL_BYTES // len(LONG)))


async def test_the_commit_stays_in_the_log_until_it_is_copied(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        put_off(store)
        take(store, many())
        before = path.stat().st_size

        with closing(Store.read_only(path)) as reader:
            assert sum(reader.counts().values()) == sum(1 for _ in many())
        writer = LedgerWriter(store)
        async with writer.running():
            await copy_soon(writer, path, after_s=0)

        assert before < SMALL_BYTES < path.stat().st_size
        assert store.connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == PAGES


async def test_a_ledger_that_is_gone_is_for_the_next_step_to_name(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(Store.open(path)) as store:
        put_off(store)
        writer = LedgerWriter(store)
        async with writer.running():
            await copy_soon(writer, tmp_path / "nowhere" / "ledger.sqlite", after_s=0)

        assert store.connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == PAGES
