"""What the run waits for, and how it goes, in words."""

from __future__ import annotations

import pytest

from batchrunner.progress import words

from .telling import BEGAN, a_busy_run, an_event, counted, failed, started, weather

AWAY = {"sky": "away", "reason": "HTTP 502", "lasted_s": 180.0, "gives_up_s": 1620.0}

WAITS = {
    "throttled, next try in 12 s (HTTP 429)": weather(sky="throttled", reason="HTTP 429", next_try_s=12.0),
    "throttled, one job goes first (HTTP 429)": weather(sky="throttled", reason="HTTP 429"),
    "service away for 3 m 00 s, gives up in 27 m 00 s (HTTP 502)": weather(**AWAY),
    "service away for 3 m 00 s, gives up in 27 m 00 s, next try in 30 s (HTTP 502)": weather(
        **AWAY, next_try_s=30.0
    ),
    "an answer was lost: a free look comes before the next submission (reset)": weather(
        sky="doubt", reason="reset"
    ),
    "draining: 0 in flight, Ctrl-C again stops now (the disk is nearly full: 9 MiB left)": an_event(
        "draining", reason="the disk is nearly full: 9 MiB left"
    ),
    "": weather(),
}


@pytest.mark.parametrize("said", WAITS)
def test_it_says_what_the_run_waits_for(said):
    assert words.waits(counted(started(9), WAITS[said]), BEGAN) == said


def test_what_is_looked_at_again_is_not_nearly_done():
    gone = [an_event("submitted", "fox"), an_event("unconfirmed", "fox", message="unknown to the service")]
    told = [started(1), weather(), an_event("forecast", left_s=0.0), *gone]

    said = words.line(counted(*told), BEGAN)

    assert said == (
        "0/1 done · 0 of 8 running · 1 looked at again"
        " · unknown to the service: believed after some minutes of looking again"
    )


def test_one_read_that_went_wrong_is_no_absence():
    told = weather(sky="away", reason="HTTP 502", lasted_s=0.0)

    tally = counted(started(9), told)

    assert words.waits(tally, BEGAN + 1) == ""
    assert words.waits(tally, BEGAN + 9) == "service away for 9 s (HTTP 502)"


def test_a_lowered_limit_is_told_apart_from_the_usual_one():
    running = [an_event("submitted", f"job-{n}") for n in range(6)]

    usual = counted(started(6), *running, weather())
    lowered = counted(started(6), *running, weather(limit=3))

    assert words.at_work(usual) == ["6 of 8 running"]
    assert words.at_work(lowered) == ["6 running", "limit 3 for now"]


@pytest.mark.parametrize(
    ("ends", "seconds", "said"),
    [(100, 10, "10 jobs/s"), (30, 60, "30 jobs/min"), (3, 60, "3.0 jobs/min"), (4, 600, "24 jobs/h")],
)
def test_a_pace_is_said_in_the_unit_in_which_it_can_be_pictured(ends, seconds, said):
    told = [an_event("succeeded", f"job-{n}", at=seconds) for n in range(ends)]

    assert words.pace(counted(started(999), *told), BEGAN + seconds) == [said]


def test_money_is_said_with_what_it_will_come_to():
    ready = [an_event("ready", f"job-{n}", cost_usd=0.10) for n in range(4)]

    assert words.money(counted(started(1000, spent=1.0), *ready)) == ["1.40 USD", "about 101.00 in all"]


def test_before_the_first_result_the_price_is_the_plans():
    assert words.money(counted(started(9, cost=1.26))) == ["0.00 USD", "about 1.26 in all"]


def test_a_rehearsal_has_no_price():
    assert words.money(counted(started(9, spent=1.0, simulated=True))) == []


def test_the_line_of_a_busy_run_says_it_all():
    assert words.line(a_busy_run(), BEGAN + 60) == (
        "9/100 done · 4 running · limit 4 for now · 3 saving · 84 to come · 4 failed · about 9 m 00 s left"
        " · 9.0 jobs/min · 63.56 USD · about 69.72 in all"
        " · throttled, next try in 12 s (HTTP 429: Too many requests)"
    )


def test_a_failure_is_told_with_its_row_and_made_safe():
    told = failed("owl\x1b[2J", row=17, code="refused", message="no\nowls")

    assert words.told(told, verbose=False) == r"failed owl\x1b[2J (row 17) refused: no owls"


def test_what_the_counts_say_is_told_only_when_every_step_is_wanted():
    step = an_event("submitted", "fox", request_id="rq-1")

    assert words.told(step, verbose=False) is None
    assert words.told(step, verbose=True) == "submitted fox  request rq-1"
