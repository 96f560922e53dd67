"""The live view's lines: whatever the terminal's size, they fit, and the most important ones stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from batchrunner.progress.screen import ASCII, screen

from .telling import BEGAN, a_busy_run, counted, started


def lines(width: int, height: int = 50, **more) -> list[str]:
    view = screen(a_busy_run(), BEGAN + 60, width, height, **more)
    return ["".join(text for text, _ in line) for line in view]


@given(width=st.integers(1, 300), height=st.integers(1, 40))
def test_no_terminal_is_too_small(width, height):
    view = lines(width, height)

    assert 1 <= len(view) <= height
    assert all(0 < cell_len(line) <= width for line in view)


def test_at_eighty_columns():
    assert lines(80) == [
        "out/night" + " " * 63 + "1 m 00 s",
        "━" * 5 + "─" * 55 + " 9% 9/100",
        "throttled, next try in 12 s (HTTP 429: Too many requests)",
        "4 running · limit 4 for now · 3 saving · 84 to come",
        "5 succeeded · 4 failed · 900 before",
        "about 9 m 00 s left · 9.0 jobs/min",
        "63.56 USD · about 69.72 in all",
        r"row 18 owl\x1b[31m-2: refused: no",
        "row 19 cat-3: refused: no",
        "row 20 dog-4: refused: no",
    ]


def test_at_twenty_columns():
    assert lines(20) == [
        "out/night   1 m 00 s",
        "─" * 11 + " 9% 9/100",
        "throttled, next try",
        "in 12 s (HTTP 429:",
        "Too many requests)",
        "4 running",
        "limit 4 for now",
        "3 saving",
        "84 to come",
        "5 succeeded",
        "4 failed",
        "900 before",
        "about 9 m 00 s left",
        "9.0 jobs/min",
        "63.56 USD",
        "about 69.72 in all",
        r"row 18 owl\x1b[31m-…",
        "row 19 cat-3: refus…",
        "row 20 dog-4: refus…",
    ]


def test_a_wide_terminal_does_not_stretch_it():
    assert [line.rstrip() for line in lines(200)[1:]] == lines(80)[1:]


@pytest.mark.parametrize(
    ("height", "kept"),
    [(1, ["━━━"]), (2, ["━━━", "thr"]), (3, ["━━━", "thr", "4 r"]), (4, ["━━━", "thr", "4 r", "abo"])],
)
def test_with_less_height_the_progress_stays_longest(height, kept):
    assert [line[:3] for line in lines(80, height)] == kept


def test_a_terminal_without_unicode_gets_none():
    view = lines(80, glyphs=ASCII)

    assert all(line.isascii() for line in view)


def test_before_the_run_begins_it_claims_nothing():
    view = screen(counted(), BEGAN, 40, 10)

    assert [line[0][0] for line in view] == ["batchrunner", "reading the manifest"]


def test_a_run_with_nothing_to_do_is_done():
    view = screen(counted(started(0)), BEGAN, 40, 10)

    assert any("100%" in text for line in view for text, _ in line)
