"""What happens at a crash point: it is counted, and at the one that was chosen the process meets its fate."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .crash_points import Point


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Counts the passings of every point, and ends the process at the one it was told."""

    die_at: Point | None
    """Here the process is killed..."""
    nth: int
    """... when it passes for the nth time."""
    report: Path
    """What is written last: the passings, and the jobs whose submission was on the wire."""
    interrupt_at: Point | None = None
    """Here the process gets a Ctrl-C, once."""
    befall_at: Point | None = None
    befall: Callable[[], None] = lambda: None
    """What happens to the output folder there, once."""
    before_death: Callable[[], None] = lambda: None
    passes: Counter[Point] = field(default_factory=Counter)
    on_the_wire: set[str] = field(default_factory=set)
    """Jobs between the intent to submit and the record of the answer."""
    committed: list[Callable[[], None]] = field(default_factory=list)
    """What to tell once the transaction that is open is durable."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, point: Point) -> None:
        """Count one passing of *point*, and let happen what is to happen there."""
        with self.lock:
            self.passes[point] += 1
            if point is self.interrupt_at and self.passes[point] == 1:
                os.kill(os.getpid(), signal.SIGINT)
            if point is self.befall_at and self.passes[point] == 1:
                self.befall()
            if point is self.die_at and self.passes[point] == self.nth:
                self.write_report()
                self.before_death()
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(600)  # the signal is on its way

    def write_report(self) -> None:
        passes = {str(point): n for point, n in self.passes.items()}
        whole = self.report.with_suffix(".part")  # a kill may come at any time
        whole.write_text(json.dumps({"passes": passes, "on_the_wire": sorted(self.on_the_wire)}))
        whole.replace(self.report)
