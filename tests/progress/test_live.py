"""The live view on terminals: right at each width, after a resize, and gone at the end."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from batchrunner.progress.live import View
from batchrunner.progress.screen import screen
from tests.cli.acts import status
from tests.cli.command import PATIENCE_S, start, wait_until

from .telling import BEGAN, a_busy_run
from .terminals import Tmux, a_terminal

WIDTHS = [20, 80, 200]


def layout(width: int, height: int, unicode: bool):
    return screen(a_busy_run(), BEGAN + 60, width, height)


def expected(width: int, height: int = 24) -> list[str]:
    """What is to be seen on a terminal of that size: two cells and a line are left free."""
    lines = layout(width - 2, height - 1, True)
    return ["".join(text for text, _ in line).rstrip() for line in lines]


@pytest.fixture
def a_view():
    """Give a function that shows the busy run on a terminal."""
    opened = []

    def show(terminal) -> View:
        stream = os.fdopen(os.dup(terminal.slave), "w", encoding="utf-8")
        opened.append(stream)
        return View(stream, layout)

    yield show
    for stream in opened:
        stream.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_it_looks_as_laid_out_at_each_width(a_view, width):
    with a_terminal(width) as terminal, a_view(terminal) as view:
        for _ in range(3):
            view.draw()

        assert [line.replace("狐 ", "狐") for line in terminal.seen()] == expected(width)


@pytest.mark.parametrize("before", WIDTHS)
@pytest.mark.parametrize("after", WIDTHS)
def test_after_a_resize_nothing_of_the_old_size_is_left(a_view, before, after):
    with a_terminal(before) as terminal, a_view(terminal) as view:
        view.draw()
        terminal.seen()
        terminal.resize(after, 24)
        view.draw()

        assert terminal.seen() == expected(after)


@pytest.mark.parametrize("height", [1, 2, 3, 5, 9])
def test_it_never_scrolls_a_low_terminal(a_view, height):
    with a_terminal(80, height) as terminal, a_view(terminal) as view:
        for _ in range(5):
            view.draw()

        assert terminal.seen() == expected(80, max(2, height))[:height]


def test_a_line_said_meanwhile_stands_above_it(a_view):
    with a_terminal(80) as terminal, a_view(terminal) as view:
        view.draw()
        view.say("the catalogue does not confirm this model")
        view.draw()

        assert terminal.seen() == ["the catalogue does not confirm this model", *expected(80)]


def test_at_the_end_it_is_gone_and_the_cursor_is_back(a_view):
    with a_terminal(80) as terminal:
        with a_view(terminal) as view:
            view.draw()

        assert terminal.seen() == [""]
        assert not terminal.screen.cursor.hidden


def test_a_terminal_that_goes_away_does_not_end_the_run(a_view):
    with a_terminal(80) as terminal, a_view(terminal) as view:
        view.draw()
        os.close(terminal.master)
        for _ in range(3):
            view.draw()
        terminal.master = os.open(os.devnull, os.O_RDONLY)  # something for the fixture to close


# ── a run of its own ──


def command(batch) -> list[object]:
    return ["run", batch.manifest, "-o", batch.folder, "--base-url", batch.fake.url, "--poll-interval", "0.1"]


def a_run_on(terminal, batch, **env: str):
    given = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **env}
    return start(*command(batch), env=batch.env(**given), cwd=batch.home, stderr=terminal.slave)


def test_a_run_shows_itself_and_leaves_only_its_summary(batch, fake):
    batch.write("fox", "owl")
    fake.always("status", status("in_progress"), text="owl")

    with a_terminal(80) as terminal:
        process = a_run_on(terminal, batch, COLUMNS="33", LINES="3")
        wait_until(lambda: {"1 of 8 running", "1 succeeded"} <= set(terminal.seen()), "the view")
        during = terminal.seen()
        process.send_signal(signal.SIGINT)
        wait_until(lambda: "draining: 1 in flight" in "\n".join(terminal.seen()), "the draining")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        after = terminal.seen()

    assert "1 of 8 running" in during[2]
    assert during[3] == "1 succeeded"
    assert process.returncode == 130
    assert after[0].startswith("1 succeeded · 1 submitted")
    assert not any("━" in line for line in after)


def test_without_colour_there_is_none(batch, fake):
    batch.write("fox")

    with a_terminal(80) as terminal:
        a_run_on(terminal, batch, NO_COLOR="1").communicate(timeout=PATIENCE_S)
        terminal.seen()

    coloured = [f"\x1b[{code}".encode() for code in (*range(30, 38), *range(90, 98))]
    assert b"\x1b[?25l" in terminal.written  # it was the live view
    assert not any(code in terminal.written for code in coloured)


def test_a_dumb_terminal_gets_plain_lines(batch, fake):
    batch.write("fox")

    with a_terminal(80) as terminal:
        a_run_on(terminal, batch, TERM="dumb", NO_COLOR="1").communicate(timeout=PATIENCE_S)
        terminal.seen()

    assert b"1 succeeded" in terminal.written
    assert b"\x1b" not in terminal.written


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_under_tmux_it_is_right_at_each_width_and_after_each_resize(batch, fake, tmp_path):
    batch.write("fox", *({"id": f"owl-{n}", "text": "owl", "seed": n} for n in range(7)))
    fake.always("status", status("in_progress"), text="owl")
    words = shlex.join([sys.executable, "-m", "batchrunner", *map(str, command(batch))])
    env = {**batch.env(LANG="C.UTF-8", TMUX=""), "SHELL": "/bin/sh"}
    tmux = Tmux(str(tmp_path / "t"))
    subprocess.run(
        ["tmux", "-S", tmux.socket, "-f", "/dev/null", "-u", "new-session", "-d", "-x", "80", "-y", "24",
         f"cd {shlex.quote(str(batch.home))}; echo before; {words}; sleep 60"],
        env=env, check=True, timeout=30,
    )  # fmt: skip
    try:
        wait_until(lambda: any("7 of 8 running" in line for line in tmux.seen()), "the view")
        for width in (20, 200, 80, 20, 80):
            tmux.resize(width, 24)
            wait_until(lambda width=width: fits(tmux.seen(), width), f"the view at {width}")
    finally:
        tmux.call("kill-server")


def fits(seen: list[str], width: int) -> bool:
    """Return whether one whole view, and nothing else, is to be seen."""
    bars = [line for line in seen if "12%" in line]
    bar_ends = f"12%{' 1/8' if width >= 20 else ''}"
    return (
        len(bars) == 1
        and bars[0].endswith(bar_ends)
        and len(bars[0]) == min(width - 2, 60 + 8)
        and seen[1:4] == [bars[0], "7 of 8 running", "1 succeeded"]
        and all(len(line) <= width - 2 for line in seen)
        and "before" not in seen
    )
