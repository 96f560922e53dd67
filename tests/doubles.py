"""Stand-ins at the seams of a run: the folder's files in memory, the wire, and a bench for whole runs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeVar

import anyio
import httpx
import trio
from trio.testing import MockClock

from batchrunner._types import Job
from batchrunner.client import Client, Timeouts
from batchrunner.containers import examine
from batchrunner.events import RunEvent
from batchrunner.files.shelf import Part, Sealed
from batchrunner.ledger import LedgerWriter, Store
from batchrunner.ledger.writer import Step
from batchrunner.lifecycle import State
from batchrunner.money.pricing import Prices
from batchrunner.plan import Plan, load_jobs, prepare
from batchrunner.pool import Context, run_pool
from batchrunner.settings import Rerun, Settings
from batchrunner.simulator import Service, SimulatorSettings, parse_fault, transport
from batchrunner.simulator.settings import Films

T = TypeVar("T")

QUICK = SimulatorSettings(slots=8, service_time_s=20.0, spread=0.0, latency_s=0.1, films=Films.TINY)
"""A service that takes 20 s for a film and a tenth of a second for an answer."""


def in_virtual_time(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run an async *scenario* on a clock that jumps to the next thing that happens."""
    return trio.run(scenario, clock=MockClock(autojump_threshold=0))


@dataclass(slots=True)
class MemoryPart:
    """A part of which nothing is ever written down."""

    content: bytearray = field(default_factory=bytearray)
    rejected: list[bytes] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    async def write(self, chunk: bytes) -> None:
        self.content += chunk

    async def restart(self) -> None:
        self.content.clear()

    async def seal(self) -> Sealed:
        with tempfile.NamedTemporaryFile() as file:  # the container check reads files
            file.write(self.content)
            file.flush()
            media = examine(Path(file.name))
        digest = sha256(self.content).hexdigest()
        return Sealed(media=media, size_bytes=len(self.content), sha256=digest)

    async def set_aside(self) -> None:
        self.rejected.append(bytes(self.content))
        self.content.clear()


class MemoryShelf:
    """The folder's files, in a dictionary.  Waits for nothing, so a virtual clock stands still meanwhile."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.rejected: list[bytes] = []
        self.free = 1 << 40

    @asynccontextmanager
    async def begin(self, name: str) -> AsyncIterator[MemoryPart]:
        yield MemoryPart(rejected=self.rejected)

    def is_taken(self, file: str) -> bool:
        return file in self.files

    async def holds(self, file: str, sha256: str) -> bool:
        await anyio.lowlevel.checkpoint()
        return hashlib.sha256(self.files.get(file, b"")).hexdigest() == sha256

    async def keep(self, part: Part, file: str) -> None:
        assert isinstance(part, MemoryPart)
        await anyio.lowlevel.checkpoint()
        self.files[file] = bytes(part.content)

    def free_bytes(self) -> int:
        return self.free

    async def move(self, file: str, target: str) -> None:
        if file in self.files:
            self.files[target] = self.files.pop(file)


class WatchedWriter(LedgerWriter):
    """Says after each step that it is durable, before its caller knows."""

    def __init__(self, store: Store, on_step: Callable[[], None]) -> None:
        super().__init__(store, in_thread=False)
        self._on_step = on_step

    async def do(self, step: Step[T], *, patiently: bool = False) -> T:
        try:
            return await super().do(step)
        finally:
            self._on_step()


class Line(httpx.AsyncBaseTransport):
    """The wire between a run and the service; once it is dead nothing gets through, in either direction."""

    def __init__(self, service: Service) -> None:
        self._through = transport(service, anyio.current_time)
        self.is_dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.is_dead:
            response = await self._through.handle_async_request(request)
            if not self.is_dead:
                return response
        await anyio.sleep_forever()
        raise AssertionError("nobody wakes the dead")


@dataclass
class Bench:
    """One folder, one service, and runs on them.  To be made inside virtual time."""

    service: Service
    store: Store = field(default_factory=Store.in_memory)
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    events: list[RunEvent] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(7))
    prices: Prices = field(default_factory=Prices)
    """What the runs take an attempt to cost."""

    def prepare(
        self, jobs: Iterable[Job] | None, settings: Settings | None = None, rerun: Rerun | None = None
    ) -> Plan:
        """Take the manifest in (None: go on without one) and plan."""
        with self.store.transaction():
            if jobs is not None:
                load_jobs(self.store, jobs)
            return prepare(
                self.store,
                settings or Settings(),
                rerun or Rerun(),
                staged=jobs is not None,
                size_of=lambda file: len(self.shelf.files[file]) if file in self.shelf.files else None,
                now=anyio.current_time(),
            )

    async def run(
        self,
        jobs: Iterable[Job] | None,
        settings: Settings | None = None,
        rerun: Rerun | None = None,
        *,
        meanwhile: Callable[[Context, Line], Coroutine[None, None, None]] | None = None,
        on_step: Callable[[Line], None] = lambda line: None,
    ) -> Context:
        """Run to the end.

        *meanwhile* is an async function that may interfere; *on_step* is called after each commit.
        """
        settings = settings or Settings()
        plan = self.prepare(jobs, settings, rerun)
        line = Line(self.service)
        writer = WatchedWriter(self.store, lambda: on_step(line))
        timeouts = Timeouts(post_s=90.0, get_s=20.0, download_s=60.0)
        async with (
            writer.running(),
            Client("https://simulator.test", "t", timeouts=timeouts, transport=line) as client,
        ):
            context = Context(
                settings=settings,
                ledger=writer,
                client=client,
                shelf=self.shelf,
                listener=self.events.append,
                wall_clock=anyio.current_time,
                uniform=self.random.random,
                prices=self.prices,
            )
            async with anyio.create_task_group() as tasks:
                if meanwhile is not None:
                    tasks.start_soon(meanwhile, context, line)
                await run_pool(context, sample=plan.sample, models=list(plan.models))
                tasks.cancel_scope.cancel()
        return context

    def copy(self) -> Bench:
        """What a crash at this instant leaves: the durable things as they are now, on the same service."""
        store = Store.in_memory()
        self.store.connection.backup(store.connection)
        shelf = MemoryShelf()
        shelf.files = dict(self.shelf.files)
        return Bench(self.service, store=store, shelf=shelf, prices=self.prices)

    # ── what can be seen afterwards ──

    @property
    def counters(self) -> dict[str, int]:
        """What the service has counted: posts, polls, accepted, max_in_flight, ..."""
        return self.service.sight.counts

    @property
    def states(self) -> dict[State, int]:
        return {state: n for state, n in self.store.counts().items() if n}

    @property
    def accepted(self) -> list[str]:
        """The prompts of every accepted submission, in order."""
        return [str(record.inputs["text"]) for record in self.service.accepted]

    def told(self, name: str) -> list[RunEvent]:
        return [event for event in self.events if event.name == name]


def a_bench(*faults: str, settings: SimulatorSettings = QUICK) -> Bench:
    """A bench whose service has these faults, written as lines."""
    return Bench(Service(settings, faults=[parse_fault(line) for line in faults]))
