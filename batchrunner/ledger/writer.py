"""The one writer: steps from many tasks, committed together, off the event loop.

Whatever was queued while the last commit ran goes into the next one, so a busy run pays one disk sync for
many steps and an idle one waits for nothing.  A step's caller resumes after its commit is durable.  A step
that raises is undone alone; its neighbours are committed.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread

from ..disk import as_disk_trouble, is_disk_error
from .store import Store

T = TypeVar("T")

Step = Callable[[Store], T]


@dataclass(slots=True, eq=False)
class _Job:
    step: Step[Any]
    done: anyio.Event = field(default_factory=anyio.Event)
    result: Any = None
    error: BaseException | None = None


class LedgerWriter:
    """Runs steps on a Store, one batch at a time."""

    def __init__(self, store: Store, *, in_thread: bool = True) -> None:
        """With *in_thread* False steps run at once where they are called (a ledger in memory)."""
        self._store = store
        self._in_thread = in_thread
        self._send, self._receive = anyio.create_memory_object_stream[_Job](math.inf)
        self._limiter = anyio.CapacityLimiter(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the writer alive inside the block; on the way out every queued step is committed."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write)
            try:
                yield
            finally:
                self._send.close()

    async def do(self, step: Step[T]) -> T:
        """Run *step* in a transaction and return its result once that is durable.

        A cancelled caller's step is committed all the same.  Raises what the step raises, and DiskTrouble
        when the ledger cannot be written.
        """
        job = _Job(step)
        if self._in_thread:
            self._send.send_nowait(job)
            await job.done.wait()
        else:
            self._commit([job])
            await anyio.lowlevel.checkpoint()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    async def _write(self) -> None:
        # Shielded: what was queued is committed, whoever is cancelled.
        with anyio.CancelScope(shield=True), self._receive:
            async for job in self._receive:
                batch = [job]
                while self._receive.statistics().current_buffer_used:
                    batch.append(self._receive.receive_nowait())
                await anyio.to_thread.run_sync(self._commit, batch, limiter=self._limiter)
                for written in batch:
                    written.done.set()

    def _commit(self, batch: list[_Job]) -> None:
        try:
            with self._store.transaction():
                for job in batch:
                    self._run(job)
        except (sqlite3.Error, OSError) as error:
            for job in batch:  # none of them is on the disk
                job.error = as_disk_trouble(error) if is_disk_error(error) else error

    def _run(self, job: _Job) -> None:
        connection = self._store.connection
        connection.execute("SAVEPOINT step")
        try:
            job.result = job.step(self._store)
        except Exception as error:
            job.error = error
            if is_disk_error(error) or not connection.in_transaction:
                raise  # the disk, not the step: the whole batch is lost
            connection.execute("ROLLBACK TO step")
        connection.execute("RELEASE step")
