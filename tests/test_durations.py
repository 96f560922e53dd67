"""Durations and points in time as people write and read them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.durations import format_duration, parse_duration, parse_until

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2030, 1, 31, 22, 15, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5), ("0.2", 0.2), (".5", 0.5), ("0", 0), (" 90 ", 90), ("007", 7),
        ("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86_400), ("250ms", 0.25), ("1.5h", 5400),
        ("1h30m", 5400), ("1h 30m", 5400), ("30 m", 1800), ("1d2h3m4s5ms", 93_784.005), ("1m500ms", 60.5),
    ],
)  # fmt: skip
def test_a_duration_is_seconds_unless_it_carries_units(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds, abs=1e-9)


NO_DURATIONS = [
    "",
    " ",
    "-5",
    "-1h",
    "nan",
    "inf",
    "1e3",
    "5x",
    "h",
    "1h1h",
    "30m1h",
    "1h30",
    "1,5h",
    "5M",
    "1.h",
]


@pytest.mark.parametrize("text", [*NO_DURATIONS, "٣", "1 2", "+5", "5min", "9" * 400])
def test_anything_else_is_refused_and_the_message_says_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"allowed are seconds such as 90.*1h30m"):
        parse_duration(text)


def test_a_negative_duration_is_called_negative():
    with pytest.raises(ValueError, match="cannot be negative"):
        parse_duration("-5s")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"), (-3, "0 s"), (0.04, "0 s"), (0.4, "0.4 s"), (2, "2 s"), (2.54, "2.5 s"),
        (9.949, "9.9 s"), (9.96, "10 s"), (12, "12 s"), (59.4, "59 s"), (59.6, "1 m 00 s"),
        (185, "3 m 05 s"), (3599.4, "59 m 59 s"), (3599.6, "1 h 00 m"),
        (7800, "2 h 10 m"), (86_399, "1 d 00 h"), (100_000, "1 d 04 h"), (864_000, "10 d 00 h"),
    ],
)  # fmt: skip
def test_a_duration_is_shown_in_at_most_two_units(seconds, shown):
    assert format_duration(seconds) == shown


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_longer_duration_is_never_shown_as_a_shorter_one(one, other):
    shorter, longer = sorted([one, other])

    assert parse_duration(format_duration(shorter)) <= parse_duration(format_duration(longer))


@given(st.floats(0, 1e7))
def test_what_is_shown_is_off_by_at_most_half_of_the_last_unit_shown(seconds):
    unit = 0.1 if seconds < 9.95 else 1 if seconds < 3599.5 else 60 if seconds < 86_370 else 3600

    assert abs(parse_duration(format_duration(seconds)) - seconds) <= unit / 2 + 1e-6


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("23:00", datetime(2030, 1, 31, 23, 0, tzinfo=BERLIN)),
        ("07:00", datetime(2030, 2, 1, 7, 0, tzinfo=BERLIN)),
        ("7:05", datetime(2030, 2, 1, 7, 5, tzinfo=BERLIN)),
        ("22:15", datetime(2030, 2, 1, 22, 15, tzinfo=BERLIN)),
        ("2030-02-01", datetime(2030, 2, 1, 0, 0, tzinfo=BERLIN)),
        ("2030-02-01T06:30", datetime(2030, 2, 1, 6, 30, tzinfo=BERLIN)),
        ("2030-02-01 06:30", datetime(2030, 2, 1, 6, 30, tzinfo=BERLIN)),
        ("2030-01-31T21:16Z", datetime(2030, 1, 31, 21, 16, tzinfo=UTC)),
        ("2030-01-31T16:16-05:00", datetime(2030, 1, 31, 21, 16, tzinfo=UTC)),
        ("+2h", datetime(2030, 2, 1, 0, 15, tzinfo=BERLIN)),
        ("+ 90", datetime(2030, 1, 31, 22, 16, 30, tzinfo=BERLIN)),
    ],
)
def test_a_point_in_time_is_the_next_one_meant(text, until):
    assert parse_until(text, now=EVENING) == until


NO_INSTANTS = [
    "",
    "24:00",
    "7:60",
    "soon",
    "2h",
    "+",
    "+2x",
    "+-2h",
    "2030-02-30",
    "07:00:00:00",
    "99999-01-01",
]


@pytest.mark.parametrize("text", [*NO_INSTANTS, "+" + "9" * 30])
def test_what_is_no_point_in_time_is_refused_and_the_message_says_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"is not a point in time; allowed are .*07:00.*\+2h"):
        parse_until(text, now=EVENING)


@pytest.mark.parametrize("text", ["2030-01-31T22:15", "2030-01-31", "1999-12-31T23:59Z", "+0"])
def test_what_has_passed_is_refused_and_the_message_says_what_time_it_is(text):
    with pytest.raises(ValueError, match=r"is not ahead \(it is now 2030-01-31 22:15\)"):
        parse_until(text, now=EVENING)


def test_a_time_on_the_clock_stays_that_time_over_a_change_of_the_clock():
    before_the_change = datetime(2030, 3, 30, 22, 0, tzinfo=BERLIN)  # at 2:00 it becomes 3:00

    until = parse_until("07:00", now=before_the_change)

    assert until.timestamp() - before_the_change.timestamp() == 8 * 3600


def test_hours_from_now_are_hours_over_a_change_of_the_clock():
    before_the_change = datetime(2030, 3, 30, 22, 0, tzinfo=BERLIN)

    until = parse_until("+9h", now=before_the_change)

    assert until.timestamp() - before_the_change.timestamp() == 9 * 3600


@pytest.mark.parametrize("text", ["23:59", "00:00", "+2h"])
def test_a_now_without_a_zone_is_the_machines_and_the_answer_has_one(text):
    now = datetime(2030, 1, 31, 22, 15)

    until = parse_until(text, now=now)

    assert until.tzinfo is not None
    assert timedelta(0) < until - now.astimezone() <= timedelta(hours=2)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))), st.times())
def test_the_next_time_on_the_clock_is_within_a_day(now, clock):
    if now.year == 9999:
        return

    until = parse_until(f"{clock:%H:%M}", now=now)

    assert timedelta(0) < until - now <= timedelta(days=1)
    assert f"{until:%H:%M}" == f"{clock:%H:%M}"
