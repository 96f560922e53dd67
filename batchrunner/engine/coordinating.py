"""One batch on many workers: plan and ask once, give out shards, watch all of them, stop them, report.

The coordinator submits nothing and owns no shard; whatever happens to it, each shard's ledger is the truth.
So many shards run at a time as there are workers, and share what may be in flight; whoever is done takes
the next one.
"""

from __future__ import annotations

import secrets
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import anyio
from msgspec import Struct, field

from ..errors import Exit, ManifestMissing, Usage
from ..events import RunEvent
from ..folder.ownership import begin_shards
from ..manifest.source import STDIN
from ..plan import Plan
from ..session.order import Order
from ..session.outcome import Report
from ..session.preparing import plan_together
from ..session.signals import STOPS
from ..sharding import Shard
from ..shards import check_shard, recorded_count
from .cluster import Cluster, end_of, opened
from .logs import Logs
from .reporting import report_together
from .stop_word import write_word
from .task import Ended, ShardTask
from .wishes import Wishes, check_divisible

if TYPE_CHECKING:
    from distributed import Future

LOOK_EVERY_S: Final = 0.2

DEATHS: Final = 5
"""Workers that may die under one shard, besides those that Dask itself puts up with."""

TAKEN_AGAIN_S: Final = 2.0
"""After so long a shard that somebody else owns is tried again."""

NOW_S: Final = 30.0
"""How long runs that were told to stop at once may take."""

ENDS_ALL: Final = frozenset(
    {Exit.ACCOUNT, Exit.DISK, Exit.FOLDER, Exit.OUTAGE, Exit.INVALID, Exit.MISSING, Exit.USAGE, Exit.INTERNAL}
)
"""What one shard meets that every other one would meet, too."""


def run_together(order: Order, wishes: Wishes) -> Report:
    """Run the order's batch on a cluster, and return the report of all of it.

    Raises BatchrunnerError for what keeps it from beginning, like `run_order`.
    """
    whole = order.folder
    if whole.shard is not None or (order.manifest is not None and order.manifest.source == STDIN):
        raise Usage(
            "--engine dask runs all shards of a folder, and workers read the manifest themselves",
            hint="name the whole folder, and a manifest that is a file",
        )
    check_shard(whole.path, Shard(1, wishes.shards or recorded_count(whole.path) or 1),
                has_one_ledger=whole.has_ledger())  # fmt: skip
    if order.manifest is None and not whole.shards():
        raise ManifestMissing(f"there is no shard in {whole.path}", hint="name the manifest: batchrunner run")
    if wishes.scheduler is None or wishes.workers is not None:  # known before any of them begins
        check_divisible(order.settings, wishes.local_workers)
    began = time.monotonic()
    plan = anyio.run(plan_together, order)
    with opened(wishes) as cluster:
        check_divisible(order.settings, cluster.at_once)
        count = wishes.decide_shards(cluster.at_once, recorded_count(whole.path))
        begin_shards(whole, Shard(1, count))
        with whole.locked() as lock:
            lock.write(left_open=False)
            work = _Work(order, cluster, count, secrets.token_hex(8))
            work.do(plan)
            return report_together(order, plan, work.ended, work.signals, time.monotonic() - began)


class _Work(Struct):
    """The shards of one session: those to come, those at work, and how the others ended."""

    order: Order
    cluster: Cluster
    count: int
    session: str
    ended: list[Ended] = field(default_factory=list)
    signals: list[signal.Signals] = field(default_factory=list)
    _to_come: deque[tuple[float, Shard]] = field(default_factory=deque)
    """Each with the instant before which it is not tried."""
    _at_work: dict[Future, Shard] = field(default_factory=dict)
    _deaths: dict[Shard, int] = field(default_factory=dict)
    _begun: int = 0
    _told: int = 0

    def do(self, plan: Plan) -> None:
        """Run every shard to its end, or until somebody stops it."""
        folder = self.order.folder.path
        self._to_come.extend((0.0, Shard(index, self.count)) for index in range(1, self.count + 1))
        logs = Logs(folder)
        self._tell("started", plan=plan.as_json(), folder=str(folder), simulated=self.order.service.simulate)
        with _signals(self.signals if self.order.handle_signals else None):
            give_up_at = None
            while self._at_work or (self._to_come and not self._is_over):
                self._heed()
                if (give_up_at is None and len(self.signals) > 1) or set(self.signals) & set(STOPS):
                    give_up_at = give_up_at or time.monotonic() + NOW_S
                if give_up_at is not None and time.monotonic() > give_up_at:
                    break
                self._begin()
                self._gather()
                for event in logs.news():
                    self.order.listener(event)
        for event in logs.news():
            self.order.listener(event)

    @property
    def _is_over(self) -> bool:
        """Whether no further shard is to begin."""
        return bool(self.signals) or any(
            end.exit_code in ENDS_ALL or end.reason.startswith("halted") for end in self.ended
        )

    def _heed(self) -> None:
        """Pass on the signals that came since the last time."""
        if len(self.signals) > self._told:
            self._told = len(self.signals)
            write_word(self.order.folder.path, self.session, self.signals)
            self._tell("draining", reason=f"stopped by {self.signals[0].name}")

    def _begin(self) -> None:
        """Give out shards while a worker is free for one."""
        for _ in range(len(self._to_come)):
            if self._is_over or len(self._at_work) >= self.cluster.at_once:
                return
            not_before, shard = self._to_come.popleft()
            if time.monotonic() < not_before:
                self._to_come.append((not_before, shard))
                continue
            self._begun += 1
            self._at_work[self.cluster.begin(self._task(shard), self._begun)] = shard

    def _gather(self) -> None:
        """Wait for a moment, and take in how shards ended."""
        time.sleep(LOOK_EVERY_S)
        for future in [future for future in self._at_work if future.done()]:
            shard = self._at_work.pop(future)
            end = end_of(future)
            if end is None:
                self._died(shard)
            elif end.is_taken and not self._is_over:
                self._to_come.append((time.monotonic() + TAKEN_AGAIN_S, shard))
            else:
                self.ended.append(end)

    def _died(self, shard: Shard) -> None:
        """Try a shard again whose worker was killed: elsewhere, from its ledger."""
        deaths = self._deaths[shard] = self._deaths.get(shard, 0) + 1
        if deaths <= DEATHS:
            self._tell("warning", message=f"shard {shard}: its worker died, and another one goes on with it")
            self._to_come.appendleft((0.0, shard))
            return
        self.ended.append(
            Ended(
                shard=shard, exit_code=Exit.OPEN, reason=f"shard {shard}: worker after worker died under it"
            )
        )

    def _task(self, shard: Shard) -> ShardTask:
        order, manifest = self.order, self.order.manifest
        return ShardTask(
            session=self.session,
            whole=Path(order.folder.path).resolve(),
            shard=shard,
            at_once=self.cluster.at_once,
            source=None if manifest is None else str(Path(manifest.source).resolve()),
            input_format=None if manifest is None else manifest.input_format,
            model=None if manifest is None else manifest.model,
            schemas=tuple(path.resolve() for path in order.schemas.files),
            settings=order.settings,
            rerun=order.rerun,
            places=order.places,
            base_url=order.service.base_url,
            simulate=order.service.simulate,
            timeouts=order.service.timeouts,
        )

    def _tell(self, name: str, **data: object) -> None:
        self.order.listener(RunEvent(name=name, at=time.time(), data=data))  # type: ignore[arg-type]


@contextmanager
def _signals(heard: list[signal.Signals] | None) -> Iterator[None]:
    """Put the signals that come while the block lasts into *heard*; None leaves them alone."""
    if heard is None:
        yield
        return

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(signal.Signals(number))

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, *STOPS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
