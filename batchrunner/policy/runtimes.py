"""How long will a job run?  What the jobs so far have shown, per model and setting.

A run time is never seen, only that it lay between two looks; so such brackets are what is learnt from.  The
answer is a hazard: the chance per second that a job which got to this age ends now.  Each level of knowledge
starts from the one above it (setting, model, a prior without a scale), and what is old is forgotten.

Pure: no clock, no I/O.  Ages and durations in seconds.  The maths: docs/decisions/0007-polling-by-hazard.md
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from operator import mul
from typing import Final, NamedTuple

from msgspec import Struct

from .._types import Json

SETTING_INPUTS: Final = ("duration", "resolution")
"""The inputs that move a model's run time."""

STEP: Final = 0.04
"""The width of a bin in log-age: fine enough for run times that spread by a tenth."""
FIRST_S: Final = 0.1
"""Ages below this share one bin: no look is that quick."""
LAST_S: Final = 86_400.0
"""Beyond a day all ages share the last bin."""
EDGES: Final = (
    0.0,
    *(FIRST_S * math.exp(STEP * i) for i in range(1 + math.ceil(math.log(LAST_S / FIRST_S) / STEP))),
)
WIDTHS: Final = tuple(end - start for start, end in pairwise(EDGES))
BINS: Final = len(WIDTHS)

MEMORY_JOBS: Final = 400
"""The last few hundred jobs count, older ones fade: sharp enough to gain, short enough to follow a drift."""
WORTH_JOBS: Final = 1.0
"""How many seen jobs the level above is worth; it also keeps every hazard above zero."""
PRIOR_CHANCE: Final = 0.2
"""Before anything is known: the chance to end while the age grows e-fold, the same at every age."""
FORGOTTEN: Final = 1e-6
"""A job that counts for less is not worth the work."""
NARROWEST_BINS: Final = 0.8
"""A narrower kernel would show the bins themselves."""
MOST_SETTINGS: Final = 200
"""Settings remembered at once, so that memory stays flat whatever the manifest holds."""


class Key(NamedTuple):
    """Jobs that are expected to run equally long."""

    model: str
    setting: tuple[str, ...] = ()
    """Empty: all jobs of the model."""


def key_of(model: str, inputs: Mapping[str, Json]) -> Key:
    """Return the key of a job with these inputs."""
    return Key(model, tuple(f"{name}={inputs[name]}"[:80] for name in SETTING_INPUTS if name in inputs))


def at(age_s: float, edge_values: Sequence[float]) -> float:
    """Return the value at an age of what is known at EDGES; beyond the last one it stays."""
    i = _bin_of(age_s)
    share = min(1.0, max(0.0, (age_s - EDGES[i]) / WIDTHS[i]))
    return edge_values[i] + share * (edge_values[i + 1] - edge_values[i])


def _bin_of(age_s: float) -> int:
    if age_s < FIRST_S:
        return 0
    return BINS - 1 if age_s >= LAST_S else 1 + int(math.log(age_s / FIRST_S) / STEP)


class Outlook(Struct, frozen=True, kw_only=True, eq=False):
    """What is expected of a job, as of now; a new one is made when enough was learnt to matter."""

    hazards: tuple[float, ...]
    """Per bin: the chance per second that a job which got this far ends; always above zero."""
    cumulated: tuple[float, ...]
    """Per edge: the hazard summed up to there, which is -log of the chance to get there."""
    median_s: float | None
    """Half of the jobs took no longer; None while nothing was seen.  (One job that hangs moves a mean.)"""

    @classmethod
    def of(cls, hazards: tuple[float, ...], median_s: float | None) -> Outlook:
        cumulated = tuple(accumulate(map(mul, hazards, WIDTHS), initial=0.0))
        return cls(hazards=hazards, cumulated=cumulated, median_s=median_s)

    def shares(self, lower_s: float, upper_s: float) -> dict[int, float]:
        """Return how likely an end between the two ages lay in which bin, as shares of one."""
        first, last = _bin_of(lower_s), _bin_of(upper_s)
        came = at(lower_s, self.cumulated)
        ends = (*self.cumulated[first + 1 : last + 1], at(upper_s, self.cumulated))
        alive = [1.0, *(math.exp(came - cumulated) for cumulated in ends)]
        ended = 1.0 - alive[-1]
        if first == last or ended <= 0.0:
            return {last: 1.0}
        return {first + i: (before - after) / ended for i, (before, after) in enumerate(pairwise(alive))}


PRIOR: Final = Outlook.of(tuple(PRIOR_CHANCE * STEP / width for width in WIDTHS), None)


def posterior(counts: Mapping[int, float], above: Outlook) -> Outlook:
    """Return the outlook after the ends counted per bin: ends over jobs at risk.

    To both are added those of WORTH_JOBS jobs that go by the outlook of the level *above*.
    """
    jobs = at_risk = sum(counts.values())
    if not jobs:
        return above
    first, smooth = _smooth(counts)
    last = first + len(smooth)
    hazards = _after_none(above.hazards[:first], jobs)
    for count, width, hazard in zip(smooth, WIDTHS[first:last], above.hazards[first:last], strict=True):
        halfway = max(0.0, at_risk - count / 2)
        hazards.append((count / width + WORTH_JOBS * hazard) / (halfway + WORTH_JOBS))
        at_risk -= count
    hazards += _after_none(above.hazards[last:], at_risk)
    return Outlook.of(tuple(hazards), _median_s(counts))


def _after_none(hazards: Sequence[float], at_risk: float) -> list[float]:
    """Return the hazards of bins in which none of the jobs *at_risk* has ended."""
    share = WORTH_JOBS / (max(0.0, at_risk) + WORTH_JOBS)
    return [hazard * share for hazard in hazards]


def _median_s(counts: Mapping[int, float]) -> float:
    bins = sorted(counts)
    before = list(accumulate((counts[i] for i in bins), initial=0.0))
    half = before[-1] / 2
    at_half = min(len(bins), bisect_left(before, half)) - 1
    i = bins[at_half]
    return EDGES[i] + WIDTHS[i] * (half - before[at_half]) / counts[i]


def _smooth(counts: Mapping[int, float]) -> tuple[int, list[float]]:
    """Spread each bin over its neighbours: the fewer the jobs and the wider their own spread, the wider.

    A Gaussian kernel in log-age, somewhat narrower than Silverman's 0.9 sigma n^(-1/5), as settings that
    are mixed have more than one peak.  Returned from the first bin on that has anything.
    """
    jobs = sum(counts.values())
    mean = sum(i * count for i, count in counts.items()) / jobs
    sigma = math.sqrt(sum((i - mean) ** 2 * count for i, count in counts.items()) / jobs)
    width = max(NARROWEST_BINS, 0.75 * sigma * max(1.0, jobs) ** -0.2)
    reach = math.ceil(2.5 * width)
    weights = [math.exp(-0.5 * (i / width) ** 2) for i in range(-reach, reach + 1)]
    whole = sum(weights)
    kernel = [weight / whole for weight in weights]
    start = min(counts) - reach
    smooth = [0.0] * (max(counts) + reach + 1 - start)
    for i, count in counts.items():
        for j, part in enumerate(kernel, start=i - reach - start):
            smooth[j] += count * part
    first = max(0, start)
    return first, smooth[first - start : BINS - start]


class _Level:
    """The ends seen at one level, counted over log-age and fading, and the outlook they give."""

    def __init__(self, above: _Level | None) -> None:
        self.above = above
        self.jobs = 0.0
        self.unused = 0
        self.known = self.basis = PRIOR
        self._counts: dict[int, float] = {}
        """Per bin, in units of `_unit`: instead of all counts fading, each new one is written larger."""
        self._unit = 1.0

    def add(self, shares: Mapping[int, float]) -> None:
        kept = 1 - 1 / MEMORY_JOBS
        self._unit /= kept
        for i, share in shares.items():
            self._counts[i] = self._counts.get(i, 0.0) + share * self._unit
        self.jobs = self.jobs * kept + 1
        self.unused += 1

    def _counted(self) -> dict[int, float]:
        """Return the counts as of now; what has faded is let go."""
        counts = {i: count / self._unit for i, count in self._counts.items()}
        self._counts, self._unit = {i: count for i, count in counts.items() if count > FORGOTTEN}, 1.0
        return self._counts

    def outlook(self) -> Outlook:
        """Return what is expected now; worked out anew when an eighth of it would be new."""
        above = self.above.outlook() if self.above else PRIOR
        leans_on_above = self.jobs < 8 * WORTH_JOBS
        if self.unused > self.jobs / 8 or (leans_on_above and above is not self.basis):
            self.known, self.basis, self.unused = posterior(self._counted(), above), above, 0
        return self.known


class RunTimes:
    """What is known of run times; one per run, shared by all jobs."""

    def __init__(self) -> None:
        self._models: dict[str, _Level] = {}
        self._settings: dict[Key, _Level] = {}
        self._outlooks: dict[Key, Outlook] = {}
        """Those asked for since something was learnt: many looks go by the same."""

    def learn(self, key: Key, lower_s: float, upper_s: float) -> None:
        """A job still ran at the age *lower_s* and had ended at *upper_s* (infinity: nobody looked on).

        A bracket that is none, as from a clock that was set back, teaches nothing.
        """
        if not lower_s <= upper_s:
            return
        level: _Level | None = self._level(key)
        shares = self.outlook(key).shares(lower_s, upper_s)
        while level:
            level.add(shares)
            level = level.above
        self._outlooks.clear()

    def outlook(self, key: Key) -> Outlook:
        """Return what is expected of a job of this key; the same object until that changes."""
        known = self._outlooks.get(key)
        if known is None:
            if len(self._outlooks) >= MOST_SETTINGS:
                self._outlooks.clear()
            known = self._outlooks[key] = self._level(key).outlook()
        return known

    def _level(self, key: Key) -> _Level:
        if not key.setting:
            return self._models.setdefault(key.model, _Level(None))
        if key not in self._settings:
            if len(self._settings) >= MOST_SETTINGS:
                self._settings.pop(next(iter(self._settings)))  # the one that was met first
            self._settings[key] = _Level(self._level(Key(key.model)))
        return self._settings[key]


class Course(Struct, kw_only=True):
    """What the looks at one job say of its run: when it began, and between which ages it ended.

    A job that was never seen in the queue counts from its acceptance.  Instants on one clock that never
    goes back.
    """

    accepted_at: float
    queued_at: float | None = None
    """When it was last seen in the queue; None: never."""
    begun_at: float | None = None
    """When it was first seen running; None before."""
    running_at: float | None = None
    """When it was last seen running; None before."""

    def seen_queued(self, now: float) -> None:
        self.queued_at, self.begun_at, self.running_at = now, None, None

    def seen_running(self, now: float) -> None:
        if self.begun_at is None:
            self.begun_at = self.accepted_at if self.queued_at is None else now
        self.running_at = now

    @property
    def not_begun_at(self) -> float:
        """The last instant at which it surely did not run."""
        return self.accepted_at if self.queued_at is None else self.queued_at

    def age_s(self, now: float) -> float:
        """Return how long it has run, from the middle of the time in which it may have begun."""
        begun_at = self.not_begun_at if self.begun_at is None else self.begun_at
        return max(0.0, now - (self.not_begun_at + begun_at) / 2)

    def bracket_s(self, now: float) -> tuple[float, float]:
        """Return the shortest and the longest run time that fit a job which is seen at its end *now*."""
        longest_s = now - self.not_begun_at
        if self.begun_at is None or self.running_at is None:
            return 0.0, longest_s
        return self.running_at - self.begun_at, longest_s
