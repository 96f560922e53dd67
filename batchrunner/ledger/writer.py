"""The one writer: steps from many tasks, committed together, on a thread that lives as long as the run.

Whatever was queued while the last commit ran goes into the next one, and so does all that comes up in one
round of the event loop: a busy run pays one disk sync for many steps, and an idle one waits for nothing.
Patient steps wait a moment, to share an urgent one's commit.
A step's caller resumes after its commit is durable; the thread does not wait for the callers to take note,
but begins the next commit.  A step that raises is undone alone; its neighbours are committed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

import anyio
import anyio.lowlevel
from msgspec import Struct

from ..files.disk import as_disk_trouble, is_disk_error
from .store import Store

T = TypeVar("T")

Step = Callable[[Store], T]


class _Job(Struct, eq=False):
    step: Step[Any]
    done: asyncio.Future[None] | None = None
    """What the caller waits for; None where the step runs at once."""
    result: Any = None
    error: BaseException | None = None


PATIENCE_S: Final = 0.1
"""How long a patient step waits for an urgent one, to share its commit: half of what a step costs."""

PATIENT_ENOUGH: Final = 4
"""So many patient steps are worth a commit of their own: films that are put away do not wait in line."""


class LedgerWriter:
    """Runs steps on a Store, one batch at a time."""

    def __init__(self, store: Store, *, in_thread: bool = True) -> None:
        """With *in_thread* False steps run at once where they are called (a ledger in memory)."""
        self._store = store
        self._in_thread = in_thread
        self._queue: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._waiting: list[_Job] = []
        self._handing_over: asyncio.Handle | None = None
        self._is_urgent = False
        """Whether they are handed over in this very round of the event loop."""
        self._is_open = not in_thread
        self._turn = threading.Lock()
        self._commits = 0
        self._awaited_commit = 0
        self._reached: Callable[[], object] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the writer alive inside the block; on the way out every queued step is committed."""
        if not self._in_thread:
            yield
            return
        over = anyio.Event()
        soon = asyncio.get_running_loop().call_soon_threadsafe  # wakes the loop, and waits for nothing
        thread = threading.Thread(target=self._write, args=(soon, over.set), name="ledger", daemon=True)
        thread.start()
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            self._hand_over()
            self._queue.put(None)
            with anyio.CancelScope(shield=True):  # what was queued is committed, whoever is cancelled
                await over.wait()
            thread.join()

    async def do(self, step: Step[T], *, patiently: bool = False) -> T:
        """Run *step* in a transaction and return its result once that is durable.

        *patiently*: it may wait a moment for a step of another job, and be committed with it.

        A cancelled caller's step is committed all the same.  Raises what the step raises, DiskTrouble when
        the ledger cannot be written, and RuntimeError when the writer is not running (any more).
        """
        if not self._is_open:
            raise RuntimeError("the ledger's writer is not running")
        job = _Job(step)
        if self._in_thread:
            loop = asyncio.get_running_loop()
            job.done = loop.create_future()
            self._waiting.append(job)
            if not self._is_urgent:
                self._hand_over_soon(loop, patiently=patiently and len(self._waiting) < PATIENT_ENOUGH)
            await job.done
        else:
            self._commit([job])
            await anyio.lowlevel.checkpoint()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let every step wait while the block reads and writes the ledger itself, in whatever threads."""
        with self._turn:
            yield

    def _hand_over_soon(self, loop: asyncio.AbstractEventLoop, *, patiently: bool) -> None:
        if not patiently:
            if self._handing_over is not None:
                self._handing_over.cancel()
            self._is_urgent, self._handing_over = True, loop.call_soon(self._hand_over)
        elif self._handing_over is None:
            self._handing_over = loop.call_later(PATIENCE_S, self._hand_over)

    def _hand_over(self) -> None:
        """Give the thread all steps that wait."""
        if self._handing_over is not None:
            self._handing_over.cancel()
            self._is_urgent, self._handing_over = False, None
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    async def commits(self, count: int) -> None:
        """Wait, in one task at a time, until so many more commits are durable."""
        reached = anyio.Event()
        self._awaited_commit, self._reached = self._commits + count, reached.set
        await reached.wait()

    def _write(self, soon: Callable[..., object], over: Callable[[], None]) -> None:
        """Commit what is queued, until the end of the queue is; runs on the thread."""
        while batch := self._next_batch():
            self._commit(batch)
            soon(self._wake, batch)
        soon(over)

    def _next_batch(self) -> list[_Job]:
        """Wait for a step and return it with all that are queued behind it; nothing at the queue's end."""
        batch: list[_Job] = []
        jobs = self._queue.get()
        try:
            while jobs is not None:
                batch += jobs
                jobs = self._queue.get_nowait()
        except Empty:
            return batch
        if batch:
            self._queue.put(None)  # the end comes after this batch
        return batch

    def _commit(self, batch: list[_Job]) -> None:
        try:
            with self._turn, self._store.transaction():
                self._store.wall()
                if len(batch) == 1:
                    batch[0].result = batch[0].step(self._store)
                else:
                    for job in batch:
                        self._run(job)
        except BaseException as error:  # whoever waits has to hear of it
            trouble = (
                as_disk_trouble(error) if isinstance(error, Exception) and is_disk_error(error) else error
            )
            for job in batch:  # none of them is on the disk
                job.error = trouble

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

    def _wake(self, batch: list[_Job]) -> None:
        """Let the callers of a commit go on; runs on the event loop."""
        for job in batch:
            if job.done is not None and not job.done.done():  # else its caller was cancelled
                job.done.set_result(None)
        self._commits += 1
        if self._commits == self._awaited_commit and self._reached is not None:
            self._reached()
