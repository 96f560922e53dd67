"""What may be said to a run: only what it understands, whatever arrives."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.control.protocol import (
    LONGEST_LINE,
    Cancel,
    Pause,
    Resume,
    Set,
    Status,
    read_command,
    write_command,
)

COMMANDS = [
    Pause(), Resume(), Status(), Cancel(("fox", "owl-*")), Set(concurrency=20), Set(until=math.inf),
    Set(concurrency=1, downloads=2, poll_interval_s=0.5, until=1_900_000_000.0),
]  # fmt: skip

REFUSED = {
    "no JSON": b"pause",
    "no object": b"[]",
    "no command": b"{}",
    "an unknown command": b'{"do": "pay"}',
    "a word too many": b'{"do": "pause", "concurrency": 3}',
    "nothing to set": b'{"do": "set"}',
    "no number": b'{"do": "set", "concurrency": "20"}',
    "a truth for a number": b'{"do": "set", "concurrency": true}',
    "none at once": b'{"do": "set", "concurrency": 0}',
    "far too many": b'{"do": "set", "downloads": 1000000}',
    "no time between looks": b'{"do": "set", "poll_interval_s": 0}',
    "not a number": b'{"do": "set", "poll_interval_s": NaN}',
    "an unknown setting": b'{"do": "set", "max_attempts": 9}',
    "nobody to cancel": b'{"do": "cancel", "ids": []}',
    "ids that are none": b'{"do": "cancel", "ids": [7]}',
    "too long": b'{"do": "cancel", "ids": ["' + b"x" * LONGEST_LINE + b'"]}',
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_written_is_read(command):
    line = write_command(command)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert read_command(line) == command


@pytest.mark.parametrize("why", REFUSED)
def test_what_does_not_fit_is_refused(why):
    with pytest.raises(ValueError):
        read_command(REFUSED[why])


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_be_refused(line):
    with contextlib.suppress(ValueError):
        read_command(line)
