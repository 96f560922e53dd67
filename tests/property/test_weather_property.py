"""Laws of the shared weather, whatever happens in whatever order.

The machine plays a run: it asks for leave, keeps the submissions that are out, and reports what came of them.
What it remembers for its checks is only what a bystander sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batchrunner.policy.weather import DOUBTS_TO_OUTAGE, Go, Probe, Wait, Weather

MAX_OUTAGE_S = 600.0
RETRY_AFTER = st.none() | st.floats(0, 120)


@dataclass(eq=False)
class Submission:
    canary: bool
    untroubled: bool = True
    """Nothing bad was heard since it got its leave."""


class WeatherMachine(RuleBasedStateMachine):
    @initialize(concurrency=st.integers(1, 20), uniform=st.floats(0, 1, exclude_max=True))
    def begin(self, concurrency, uniform):
        self.weather = Weather(concurrency=concurrency, max_outage_s=MAX_OUTAGE_S, uniform=lambda: uniform)
        self.concurrency = concurrency
        self.now = 0.0
        self.out: list[Submission] = []
        self.first_ones: list[Submission] = []  # got leave since the last bad news, nothing accepted since
        self.careful = False
        self.asked_to_wait_until = 0.0
        self.sign_of_life_due = False
        self.probes_out = 0
        self.doubts_in_a_row = 0
        self.gives_up_at: float | None = None

    # ── what a run does ──

    @rule(seconds=st.floats(0, 90))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def the_pause_ends(self):
        self.now = max(self.now, self.weather.paused_until)

    @rule()
    def ask_for_leave(self):
        match self.weather.may_submit(self.now):
            case Go(canary=canary):
                self._check_leave()
                self.out.append(Submission(canary=canary))
                if self.careful:
                    self.first_ones.append(self.out[-1])
            case Probe():
                assert self.sign_of_life_due
                self.probes_out += 1
            case Wait(until=until):
                assert until > self.now

    def _check_leave(self):
        assert not self.sign_of_life_due, "submitted after a doubt without a sign of life"
        assert self.now >= self.asked_to_wait_until, "Retry-After was undercut"
        still_out = [each for each in self.first_ones if each in self.out]
        assert not still_out, "a second submission followed the canary before it came back"

    # ── what comes of a submission ──

    def _take_one(self, data) -> Submission:
        submission = data.draw(st.sampled_from(self.out))
        self.out.remove(submission)
        return submission

    def _bad_news(self):
        self.careful = True
        self.first_ones = []
        for submission in self.out:
            submission.untroubled = False

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def accepted(self, data):
        submission = self._take_one(data)
        self.weather.accepted(self.now)
        if submission.canary:
            self.weather.canary_back()
        if not self.sign_of_life_due:
            self.careful = False
            self.first_ones = []
        self.doubts_in_a_row = 0
        self.gives_up_at = None
        if submission.canary and submission.untroubled:
            assert self.weather.may_submit(self.now) == Go(), "a canary was accepted: the weather is fair"

    @precondition(lambda self: self.out)
    @rule(data=st.data(), retry_after_s=RETRY_AFTER)
    def throttled(self, data, retry_after_s):
        submission = self._take_one(data)
        in_flight = len(self.out) + 1
        self.weather.throttled(self.now, retry_after_s, in_flight=in_flight, reason="429")
        self._turned_away(submission, retry_after_s)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def found_no_connection(self, data):
        submission = self._take_one(data)
        self.weather.unreachable(self.now, "ConnectError")
        self._turned_away(submission, None)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def doubted(self, data):
        submission = self._take_one(data)
        self.weather.doubted(self.now, "ReadTimeout")
        self._turned_away(submission, None)
        self.sign_of_life_due = True
        self.doubts_in_a_row += 1

    def _turned_away(self, submission: Submission, retry_after_s: float | None):
        if submission.canary:
            self.weather.canary_back()
        self._bad_news()
        self.asked_to_wait_until = max(self.asked_to_wait_until, self.now + (retry_after_s or 0.0))

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def refused(self, data):
        submission = self._take_one(data)
        self.weather.read_answered()
        if submission.canary:
            self.weather.canary_back()

    # ── what comes of reads ──

    @precondition(lambda self: self.probes_out)
    @rule(answered=st.booleans())
    def probe_comes_back(self, answered):
        self.probes_out -= 1
        self.weather.probed(self.now, answered=answered, reason="ConnectError")
        if answered:
            self.sign_of_life_due = False

    @rule(retry_after_s=RETRY_AFTER)
    def a_read_is_throttled(self, retry_after_s):
        self.weather.throttled(self.now, retry_after_s, in_flight=len(self.out), reason="429")
        self._bad_news()
        self.asked_to_wait_until = max(self.asked_to_wait_until, self.now + (retry_after_s or 0.0))

    @rule()
    def a_read_is_answered(self):
        self.weather.read_answered()

    @rule()
    def a_read_fails(self):
        self.weather.read_failed(self.now)

    @rule()
    def a_job_comes_to_its_end(self):
        self.weather.finished_one(self.now)

    # ── laws ──

    @invariant()
    def at_most_one_canary_is_out(self):
        assert sum(submission.canary for submission in self.out) <= 1

    @invariant()
    def at_most_one_probe_is_out(self):
        assert self.probes_out <= 1

    @invariant()
    def the_limit_stays_within_its_bounds(self):
        assert 1 <= self.weather.in_flight_limit <= self.concurrency

    @invariant()
    def an_outage_of_doubts_ends_only_with_an_acceptance(self):
        if self.doubts_in_a_row < DOUBTS_TO_OUTAGE:
            return
        gives_up_at = self.weather.gives_up_at(submitting=True)
        assert gives_up_at is not None
        assert gives_up_at <= self.now + MAX_OUTAGE_S
        assert self.weather.refused_since is not None
        ends = self.weather.refused_since + MAX_OUTAGE_S
        assert self.gives_up_at in (None, ends), "the clock of an outage was set back"
        self.gives_up_at = ends

    @invariant()
    def nobody_waits_for_ever(self):
        if self.out or self.probes_out:
            return  # something is still to be reported
        leave = self.weather.may_submit(self.weather.paused_until + self.now)
        assert not isinstance(leave, Wait)
        if isinstance(leave, Probe):
            self.weather.probe_out = False
        elif leave.canary:
            self.weather.canary_back()


TestTheWeatherKeepsItsLawsInAnyOrderOfEvents = WeatherMachine.TestCase
