"""Which fault, if any, strikes this call?  Counts what has struck; deterministic, no clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from .chance import uniform
from .faults import RANGE_ONLY, Do, Fault
from .routes import Endpoint


class Subject(Struct, frozen=True, kw_only=True):
    """What a call is about, for `Fault.match` and `Fault.each`."""

    key: str
    texts: Sequence[str]
    has_range: bool = False


class _Window(Struct, frozen=True, kw_only=True):
    since: float
    until: float


class FaultBook:
    """The faults of one service, in the order in which they are tried."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._faults: list[Fault] = []
        self._windows: list[_Window] = []
        self._met: Counter[tuple[int, str]] = Counter()

    @property
    def armed(self) -> bool:
        """Whether a fault may strike at all, outages aside."""
        return bool(self._faults)

    def add(self, faults: Iterable[Fault], now: float) -> None:
        """Arm more faults; an outage's instants count from *now*."""
        for fault in faults:
            if fault.do is Do.AWAY:
                self._windows.append(_Window(since=now + fault.since, until=now + fault.until))
            else:
                self._faults.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()
        self._windows.clear()
        self._met.clear()

    def is_away(self, now: float) -> bool:
        """Whether nobody listens at *now*."""
        return any(window.since <= now < window.until for window in self._windows)

    def next_change(self, now: float) -> float | None:
        """The next instant at which an outage begins or ends."""
        instants = [instant for window in self._windows for instant in (window.since, window.until)]
        return min((instant for instant in instants if instant > now), default=None)

    def take(self, endpoint: Endpoint, subject: Subject) -> Fault | None:
        """Return the fault that strikes this call, and count it."""
        for index, fault in enumerate(self._faults):
            if self._fits(fault, endpoint, subject) and self._strikes(index, fault, subject):
                return fault
        return None

    def _fits(self, fault: Fault, endpoint: Endpoint, subject: Subject) -> bool:
        if not fault.is_for(endpoint) or (fault.do in RANGE_ONLY and not subject.has_range):
            return False
        return any(fault.match in text for text in subject.texts) if fault.match else True

    def _strikes(self, index: int, fault: Fault, subject: Subject) -> bool:
        counted = (index, subject.key if fault.each else "")
        if fault.share < 1.0:
            drawn = self._met[index, f"draw {subject.key}"]
            self._met[index, f"draw {subject.key}"] += 1
            if uniform(self._seed, "fault", index, subject.key, drawn) >= fault.share:
                return False
        self._met[counted] += 1
        nth = self._met[counted] - fault.skip
        return nth >= 1 and (fault.times is None or nth <= fault.times)
