"""What every task of one run shares: its settings, the two seams (ledger, service) and the run's state."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from .._types import Json
from ..client import Client
from ..events import Listener, RunEvent
from ..files.shelf import Shelf
from ..ledger import Entry, LedgerWriter
from ..money.pricing import Prices
from ..policy.breaker import Breaker
from ..policy.forecast import Forecast
from ..policy.runtimes import RunTimes
from ..policy.spacing import Pacer, Spacing
from ..policy.weather import Weather
from ..settings import Settings
from ..staging.uploading import HostedOnly, Staging
from ..stopping import Stopping
from ..storing.films import FilmStore
from ..waiting import Changed, Naps, Slots


class Context:
    """One run's belongings."""

    waiting_to_submit = 0
    """Jobs that hold a slot and wait for leave to submit."""
    unsettled = 0
    """Attempts on the wire or at the service: what they set aside may come free yet."""
    deferred = 0
    """Pending jobs that wait for their instant to be submitted (again) in this run."""
    unsaved = 0
    """Jobs whose results wait for a download slot, or are being fetched."""
    held_since: float | None = None
    """The instant since which the user holds submissions back by hand; None: nobody does."""
    largest_film = 0
    """Bytes of the largest output seen in this folder."""

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: LedgerWriter,
        client: Client,
        shelf: Shelf,
        listener: Listener,
        wall_clock: Callable[[], float] = time.time,
        uniform: Callable[[], float] = random.random,
        films: FilmStore | None = None,
        prices: Prices | None = None,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        """*uniform* draws from [0, 1)."""
        self.settings = settings
        self.ledger = ledger
        self.client = client
        self.shelf = shelf
        self.listener = listener
        self.wall_clock = wall_clock
        """The instant that is written down; waiting goes by the event loop's own clock."""
        self.uniform = uniform
        self.prices = prices or Prices()
        """What an attempt is taken to cost until the service says."""
        self.fence = fence
        """Raises CutOff where nothing more may be submitted, because the folder may be somebody else's."""
        self.staging: Staging = HostedOnly()
        """What local images are sent from."""
        self.films = films
        """What films are put into a store with; None without one."""

        self.changed = Changed()
        self.weather = Weather(
            concurrency=settings.concurrency, max_outage_s=settings.max_outage_s, uniform=uniform
        )
        self.slots = Slots(lambda: self.weather.in_flight_limit, self.changed)
        self.stopping = Stopping(self.changed)
        self.download_slots = anyio.CapacityLimiter(settings.downloads)
        self.finishing_slots = anyio.CapacityLimiter(settings.downloads)
        """Downloads that are whole and being checked, synced and put away: as many again."""
        self.breaker = Breaker.parse(settings.halt_on_failures)
        self.spacing = Spacing(RunTimes(), settings.poll_interval_s)
        self.pacer = Pacer(settings.poll_rate or math.inf)
        self.forecast = Forecast(self.spacing.run_times)
        self.until_look = Naps()
        """Sleeps until the next look at each job in flight, by `seq`; to wake one is to look now."""
        self.moving = anyio.Lock()
        """Held while files of the folder get other names, or go."""

    @property
    def is_busy(self) -> bool:
        """Whether other jobs' steps are to come, whose commits a patient one may share."""
        return self.slots.in_use > 0

    def looks_take_turns(self, now: float) -> bool:
        """Return whether a look that is due may have to wait: for the end of a pause, or for its turn."""
        return self.settings.poll_rate is not None or self.weather.read_wait_s(now) > 0

    @property
    def crowd(self) -> float:
        """The share of the slots that are in use where nothing waits for one; 1 where something does."""
        if self.forecast.waiting > 0 and not self.stopping.requested:
            return 1.0
        return min(1.0, self.slots.in_use / max(1, self.weather.in_flight_limit))

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Count an attempt whose cost is not settled before the block ends."""
        self.unsettled += 1
        try:
            yield
        finally:
            self.unsettled -= 1
            self.changed.report()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a job that holds a slot and waits for leave to submit."""
        self.waiting_to_submit += 1
        try:
            yield
        finally:
            self.waiting_to_submit -= 1

    def attempt_ended(self, *, failed: bool) -> None:
        """Count an attempt that ended; a batch that goes wrong as a whole submits nothing more."""
        reason = self.breaker.trips(failed=failed)
        if reason is not None:
            self.stopping.drain(f"halted: {reason} (--halt-on-failures)")

    @property
    def may_submit(self) -> bool:
        """Whether anything new may be submitted, as far as the user is concerned."""
        return self.held_since is None and not self.stopping.requested

    def hold(self, now: float) -> None:
        """Submit nothing new until `go_on`; what is in flight is collected."""
        if self.held_since is None:
            self.held_since = now
            self.changed.report()

    def go_on(self, now: float) -> None:
        """Submit again; the time that was held by hand counts for no outage."""
        if self.held_since is not None:
            self.weather.was_held(now - self.held_since)
            self.held_since = None
            self.changed.report()

    def tell(self, name: str, entry: Entry | None = None, /, **data: Json) -> None:
        """Tell the listener that something happened, to a job or to the run; an error names its row."""
        if entry and "error" in data:
            data = {"row": entry.row, **data}
        job_id = entry.id if entry else None
        try:
            self.listener(RunEvent(name=name, at=self.wall_clock(), id=job_id, data=data))
        except Exception:  # who listens may fail; the paid run goes on
            logging.getLogger("batchrunner").exception("a listener failed at %r", name)
