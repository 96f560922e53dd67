"""What one sees while a run works: a live line on a terminal, plain lines elsewhere, events for programs.

`Tally` counts from events alone, so the display can say nothing the run did not do.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

from ._types import Json
from .durations import format_duration
from .events import Listener, RunEvent
from .names import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_EVERY_S: Final = 10.0

ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "unknown", "job_timeout", "download_failed"})
"""Events after which nothing more happens to a job in this run."""

AWAY: Final = ENDS | {"ready", "retrying"}
"""Events after which a job no longer runs at the service."""

TROUBLE: Final = frozenset(
    {"failed", "unknown", "job_timeout", "download_failed", "internal_error", "warning", "unrecorded"}
)
"""Events worth a line of their own."""


@dataclass(slots=True)
class Tally:
    """The run in numbers, as told by its events."""

    to_do: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    saving: set[str] = field(default_factory=set)
    began_at: float = 0.0
    pause_reason: str = ""
    paused_until: float = 0.0
    draining: bool = False

    def __call__(self, event: RunEvent) -> None:
        job = event.id or ""
        if event.name == "started":
            plan = event.data["plan"]
            assert isinstance(plan, dict)
            self.to_do = _number(plan, "submit") + _number(plan, "collect") + _number(plan, "gone_to_collect")
            self.began_at = event.at
        elif event.name in ("submitted", "collecting"):
            self.running.add(job)
        elif event.name == "paused":
            self.pause_reason = str(event.data["reason"])
            self.paused_until = event.at + float(str(event.data["seconds"]))
        elif event.name == "draining":
            self.draining = True
        if event.name in AWAY:
            self.running.discard(job)
        if event.name == "ready":
            self.saving.add(job)
        if event.name in ENDS:
            self.saving.discard(job)
            self.ended[event.name] = self.ended.get(event.name, 0) + 1

    @property
    def done(self) -> int:
        return sum(self.ended.values())

    def line(self, now: float) -> str:
        """Return the run in one line."""
        parts = [f"{self.done}/{self.to_do} done", f"{len(self.running)} running"]
        if self.saving:
            parts.append(f"{len(self.saving)} saving")
        ended = self.ended.copy()  # the run goes on counting meanwhile
        parts += [f"{n} {WORDS[name]}" for name, n in ended.items() if name != "succeeded"]
        if now < self.paused_until:
            wait = format_duration(self.paused_until - now)
            parts.append(f"waiting {wait} ({printable(self.pause_reason, 60)})")
        if self.draining:
            parts.append("stopping: nothing new is submitted, Ctrl-C again stops now")
        left_s = self._left_s(now)
        if left_s is not None and not self.draining:
            parts.append(f"about {format_duration(left_s)} left")
        return " · ".join(parts)

    def _left_s(self, now: float) -> float | None:
        """Estimate from the rate so far; nothing is said before something is done."""
        succeeded = self.ended.get("succeeded", 0)
        if not succeeded or self.done >= self.to_do:
            return None
        return (now - self.began_at) / self.done * (self.to_do - self.done)


WORDS: Final = {
    "failed": "failed",
    "cancelled": "cancelled",
    "unknown": "in doubt",
    "job_timeout": "timed out",
    "download_failed": "not downloaded",
}


def _number(data: Mapping[str, Json], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) else 0


@contextmanager
def display(
    mode: str, *, as_json: bool = False, quiet: bool = False, verbose: bool = False
) -> Iterator[Listener]:
    """Give a listener that shows the run: *mode* is ``auto``, ``live``, ``plain`` or ``none``."""
    if mode == "auto":
        mode = "live" if sys.stderr.isatty() and not as_json else "plain"
    tally = Tally()
    listeners: list[Listener] = [tally]
    if as_json:
        listeners.append(_print_event)
    if quiet or mode == "none":
        yield _all([*listeners, _say_what_must_be_said])
    elif mode == "live":
        with _live(tally, verbose=verbose) as show:
            yield _all([*listeners, show])
    else:
        with _plain(tally, verbose=verbose) as show:
            yield _all([*listeners, show])


def _say_what_must_be_said(event: RunEvent) -> None:
    """An id that was paid for and could not be recorded is said whatever was asked."""
    if event.name == "unrecorded":
        _write(sys.stderr, str(_told(event, verbose=True)))


def _all(listeners: list[Listener]) -> Listener:
    def listener(event: RunEvent) -> None:
        for one in listeners:
            one(event)

    return listener


def _print_event(event: RunEvent) -> None:
    _write(sys.stdout, json.dumps(event.as_json()))


def _write(stream: TextIO, line: str) -> None:
    """Write a line; when nobody reads any more (a closed pipe or terminal), the paid run goes on unheard."""
    try:
        stream.write(line + "\n")
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # what is still buffered must not fail at the exit either
        os.close(nowhere)


def _told(event: RunEvent, *, verbose: bool) -> str | None:
    """Return an event as a line of its own; None for what the counts say well enough."""
    if event.name not in TROUBLE and not (verbose and event.id):
        return None
    error = event.data.get("error")
    why = f"{error['code']}: {error['message']}" if isinstance(error, dict) else event.data.get("message", "")
    more = f" request {event.data['request_id']}" if "request_id" in event.data else ""
    return printable(" ".join(part for part in (event.name, event.id or "", str(why) + more) if part), 400)


@contextmanager
def _plain(tally: Tally, *, verbose: bool) -> Iterator[Listener]:
    """One line every few seconds, and one for each trouble."""

    def say(text: str) -> None:
        _write(sys.stderr, text)

    def listener(event: RunEvent) -> None:
        line = _told(event, verbose=verbose)
        if line is not None:
            say(line)

    with _every(PLAIN_EVERY_S, lambda: say(tally.line(time.time()))):
        yield listener


@contextmanager
def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Call *act* every so often on a thread of its own, until the block ends."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(seconds):
            act()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _live(tally: Tally, *, verbose: bool) -> Iterator[Listener]:
    """A bar and a line that stay at the foot of the terminal; troubles scroll above it."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)

    def render() -> RenderableType:
        return Text(_bar(tally, console.width) + tally.line(time.time()), overflow="fold")

    def listener(event: RunEvent) -> None:
        line = _told(event, verbose=verbose)
        if line is not None:
            with contextlib.suppress(OSError):  # the terminal is gone, the run is not
                console.print(Text(line), style="red" if event.name in TROUBLE else "dim")

    with Live(get_renderable=render, console=console, refresh_per_second=4, transient=True):
        yield listener


def _bar(tally: Tally, width: int) -> str:
    """Return a bar a third as wide as the terminal; nothing where there is no room."""
    cells = min(30, width // 3)
    if cells < 8 or not tally.to_do:
        return ""
    full = round(cells * min(tally.done, tally.to_do) / tally.to_do)
    return "█" * full + "░" * (cells - full) + " "
