"""A Dask cluster to run shards on: one that is there, or one of processes on this machine."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ..errors import Usage
from .task import Ended, ShardTask, run_shard
from .wishes import Wishes

if TYPE_CHECKING:
    from distributed import Client, Future

ANSWERS_S: Final = 30.0
"""How long a scheduler, and its first worker, may take to answer."""


class Cluster(Struct, frozen=True):
    """Where tasks are given to, and their ends come from."""

    client: Client
    at_once: int
    """Shards to run at the same time."""

    def begin(self, task: ShardTask, number: int) -> Future:
        """Give one shard to whichever worker is free; *number* makes its name new."""
        name = f"batchrunner-{task.session}-{task.shard.name}-{number}"
        return self.client.submit(run_shard, task, key=name, pure=False)


@contextmanager
def opened(wishes: Wishes) -> Iterator[Cluster]:
    """Give the cluster for as long as the block lasts; one that was here before stays.

    Raises Usage without the library, or without an answer at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise Usage("--engine dask needs distributed", hint="pip install 'batchrunner[dask]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what becomes of shards is told here
    if wishes.scheduler is None:
        with _unheard(signal.SIGINT):  # workers inherit it: a Ctrl-C in the terminal is for us alone to heed
            local = LocalCluster(
                n_workers=wishes.local_workers, threads_per_worker=1, processes=True, host="127.0.0.1",
                dashboard_address=None, silence_logs=logging.CRITICAL,
            )  # fmt: skip
        with local, Client(local, set_as_default=False) as client:
            client.register_plugin(_deaf())
            yield Cluster(client, wishes.local_workers)
        return
    try:
        client = Client(wishes.scheduler, timeout=ANSWERS_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Usage(
            f"no scheduler answers at {wishes.scheduler}: {error}",
            hint="such as --scheduler tcp://10.0.0.1:8786; without it a cluster is started here",
        ) from None
    with client:
        yield Cluster(client, wishes.workers or _workers_of(client))


def end_of(future: Future) -> Ended | None:
    """Return how the shard's run ended; None where its worker died under it."""
    from distributed.scheduler import KilledWorker

    try:
        ended = future.result()
    except KilledWorker:
        return None
    assert isinstance(ended, Ended)
    return ended


def _workers_of(client: Client) -> int:
    try:
        client.wait_for_workers(1, timeout=ANSWERS_S)
    except TimeoutError:
        raise Usage(
            "the scheduler has no workers", hint="start some, or say with --workers how many will come"
        ) from None
    return len(client.nthreads())


@contextmanager
def _unheard(number: signal.Signals) -> Iterator[None]:
    """Ignore a signal inside the block."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def _deaf() -> Any:
    """The same for workers that take the place of others later on."""
    from distributed import WorkerPlugin

    # mypy does not follow into the library.
    class Deaf(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            with suppress(ValueError):  # not the main thread
                signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Deaf()
