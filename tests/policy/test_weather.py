"""The run's shared weather, case by case; the laws over any order of events: tests/property."""

from __future__ import annotations

import pytest

from batchrunner.policy.weather import Go, Probe, Wait, Weather

MAX_OUTAGE_S = 600.0


def fair(concurrency: int = 8, uniform: float = 0.5) -> Weather:
    return Weather(concurrency=concurrency, max_outage_s=MAX_OUTAGE_S, uniform=lambda: uniform)


def throttle(weather: Weather, now: float, retry_after_s: float | None = None, in_flight: int = 8) -> None:
    weather.throttled(now, retry_after_s, in_flight=in_flight, reason="429")


def acceptance(weather: Weather, now: float) -> None:
    """The next submission goes out, is accepted and reports back."""
    go = weather.may_submit(now)
    assert isinstance(go, Go)
    weather.accepted(now)
    if go.canary:
        weather.canary_back()


def test_in_fair_weather_everybody_may_submit():
    weather = fair()

    assert [weather.may_submit(0.0) for _ in range(20)] == [Go()] * 20
    assert weather.gives_up_at(submitting=True) is None


@pytest.mark.parametrize("uniform", [0.0, 0.5, 0.999])
def test_retry_after_pauses_everybody_for_at_least_as_long_with_a_little_spread(uniform):
    weather = fair(uniform=uniform)

    throttle(weather, 100.0, retry_after_s=20.0)

    pause = weather.may_submit(100.0)
    assert isinstance(pause, Wait)
    assert 120.0 <= pause.until <= 122.0
    assert weather.read_wait_s(100.0) == pytest.approx(pause.until - 100.0)


def test_a_shorter_retry_after_does_not_shorten_the_pause():
    weather = fair()
    throttle(weather, 0.0, retry_after_s=60.0)

    throttle(weather, 1.0, retry_after_s=1.0)

    assert weather.may_submit(59.9) == Wait(weather.paused_until)
    assert weather.paused_until >= 60.0


def test_after_a_pause_one_canary_goes_first_and_its_acceptance_lets_the_rest_go():
    weather = fair()
    throttle(weather, 0.0, retry_after_s=5.0)

    first, second = weather.may_submit(10.0), weather.may_submit(10.0)
    weather.accepted(11.0)
    weather.canary_back()

    assert first == Go(canary=True)
    assert isinstance(second, Wait)
    assert weather.may_submit(11.0) == Go()


def test_a_canary_that_comes_back_without_an_acceptance_is_followed_by_another():
    weather = fair()
    throttle(weather, 0.0, retry_after_s=5.0)
    weather.may_submit(10.0)

    weather.canary_back()

    assert weather.may_submit(10.0) == Go(canary=True)


def test_a_doubt_asks_for_a_sign_of_life_before_the_canary():
    weather = fair()

    weather.doubted(0.0, "ReadTimeout")

    assert isinstance(weather.may_submit(0.0), Probe)
    assert isinstance(weather.may_submit(0.0), Wait)
    weather.probed(1.0, answered=True)
    assert weather.may_submit(1.0) == Go(canary=True)


def test_an_unanswered_probe_is_made_again_after_a_pause():
    weather = fair()
    weather.doubted(0.0, "ReadTimeout")
    weather.may_submit(0.0)

    weather.probed(1.0, answered=False, reason="ConnectError")

    pause = weather.may_submit(1.0)
    assert isinstance(pause, Wait)
    assert isinstance(weather.may_submit(pause.until), Probe)


def test_pauses_between_canaries_of_an_outage_grow():
    weather, now, pauses = fair(), 0.0, []
    for _ in range(8):
        weather.doubted(now, "ReadTimeout")
        pauses.append(weather.paused_until - now)
        now = weather.paused_until
        weather.may_submit(now)
        weather.probed(now, answered=True)
        assert weather.may_submit(now) == Go(canary=True)
        weather.canary_back()

    assert pauses[:2] == [0.0, 0.0]
    assert pauses[2:] == sorted(pauses[2:])
    assert pauses[2] > 0
    assert pauses[-1] > 30


def test_the_outage_clock_counts_from_the_first_doubt_and_ends_with_an_acceptance():
    weather = fair()
    for now in (10.0, 20.0, 30.0):
        weather.doubted(now, "ReadTimeout")

    assert weather.gives_up_at(submitting=True) == 10.0 + MAX_OUTAGE_S
    weather.read_answered()
    weather.finished_one(40.0)
    assert weather.gives_up_at(submitting=True) == 10.0 + MAX_OUTAGE_S
    weather.accepted(50.0)
    assert weather.gives_up_at(submitting=True) is None


def test_submissions_that_are_not_taken_are_no_outage_while_nobody_submits():
    weather = fair()

    throttle(weather, 10.0)

    assert weather.gives_up_at(submitting=False) is None
    assert weather.gives_up_at(submitting=True) == 10.0 + MAX_OUTAGE_S


def test_being_throttled_is_no_outage_while_our_own_jobs_come_to_their_end():
    weather = fair()
    throttle(weather, 10.0)

    weather.finished_one(300.0)

    assert weather.gives_up_at(submitting=True) == 300.0 + MAX_OUTAGE_S


def test_silence_is_an_outage_for_those_who_only_collect():
    weather = fair()

    weather.read_failed(10.0)
    weather.read_failed(20.0)

    assert weather.gives_up_at(submitting=False) == 10.0 + MAX_OUTAGE_S
    weather.read_answered()
    assert weather.gives_up_at(submitting=False) is None


def test_a_burst_of_throttling_cuts_the_limit_once():
    weather = fair(concurrency=16)

    for _ in range(16):
        throttle(weather, 0.0, retry_after_s=5.0, in_flight=16)

    assert weather.in_flight_limit == 8


def test_each_further_burst_cuts_it_again_but_never_below_one():
    weather, now = fair(concurrency=8), 0.0
    for _ in range(10):
        throttle(weather, now, retry_after_s=1.0)
        now = weather.paused_until

    assert weather.in_flight_limit == 1


def test_the_limit_grows_back_by_one_a_round_and_stops_where_it_began():
    weather = fair(concurrency=8)
    throttle(weather, 0.0, retry_after_s=1.0)
    now = weather.paused_until

    limits = []
    for _ in range(100):
        acceptance(weather, now)
        limits.append(weather.in_flight_limit)

    assert limits[0] == 4
    assert limits == sorted(limits)
    assert limits[-1] == 8
    assert limits.index(8) >= 4 + 5 + 6


def test_an_acceptance_from_before_the_pause_does_not_end_it():
    weather = fair()
    throttle(weather, 10.0, retry_after_s=60.0)

    weather.accepted(11.0)

    assert isinstance(weather.may_submit(12.0), Wait)
    assert weather.may_submit(weather.paused_until) == Go(canary=True)


def test_an_acceptance_from_before_a_doubt_does_not_replace_the_sign_of_life():
    weather = fair()
    weather.doubted(10.0, "ReadTimeout")

    weather.accepted(11.0)

    assert isinstance(weather.may_submit(12.0), Probe)
    weather.probed(13.0, answered=True)
    assert weather.may_submit(13.0) == Go(canary=True)


def test_an_outage_of_doubts_ends_by_the_clock_of_its_first_doubt_though_earlier_jobs_still_finish():
    weather = fair()
    weather.doubted(10.0, "lost")
    weather.probed(11.0, answered=True)

    weather.finished_one(300.0)

    assert weather.gives_up_at(submitting=True) == 10.0 + MAX_OUTAGE_S
