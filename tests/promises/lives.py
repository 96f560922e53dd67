"""The lives of a batch: each is one command in a process of its own, from its start to its end or death.

The processes come from a nursery (nursery.py).  What a life is made to meet is written down as a Script.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .crash_points import Point
from .cuts import Cut
from .nurseries import PATIENCE_S, Nurseries

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
IMAGE = "https://images.example.com/fox.png"
FAST = ("--progress", "none", "--poll-interval", "0.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one life meets."""

    die_at: Point | None = None
    nth: int = 1
    kill_after_s: float | None = None
    """It is killed after so long, wherever it is then."""
    power_cut: Cut | None = None
    """The process does not only die: the power fails, and the disk keeps what was synced."""
    interrupt_at: Point | None = None
    faults: tuple[str, ...] = ()
    service: dict[str, Any] = field(default_factory=lambda: {"service_time_s": 0.5, "slots": 3})
    befall_at: Point | None = None
    befalls: str = ""
    """At that point, once, this happens to the output folder; the words are those of mishaps.py."""
    file_limit: int | None = None
    """No file may grow beyond so many bytes."""
    write_errno: int | None = None
    """What every write to a part file fails with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What was left of one command."""

    status: int
    """As ``os.waitpid`` gives it."""
    out: str
    err: str
    passes: dict[str, int]
    on_the_wire: frozenset[str]

    @property
    def code(self) -> int:
        """The exit code; minus the signal where one ended it."""
        return os.waitstatus_to_exitcode(self.status)

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


@dataclass(slots=True, kw_only=True)
class Batch:
    """One manifest, one output folder, the service's memory beside it, and lives on them."""

    nurseries: Nurseries
    home: Path
    folder: Path = field(default=Path())
    """The output folder; beside the manifest unless a test wants it elsewhere."""
    padding: int = 0
    """Bytes by which the films are longer than they need be."""
    lives: int = 0

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if self.folder == Path():
            self.folder = self.home / "out"

    @property
    def manifest(self) -> Path:
        return self.home / "jobs.jsonl"

    @property
    def memory(self) -> Path:
        """What the service remembers; it survives whatever happens to the folder."""
        return self.home / "service.sqlite"

    @property
    def lasting(self) -> Path:
        """Where a power cut leaves what lasted of the output folder."""
        return self.home / "lasting"

    def write(self, *texts: str, **edited: int) -> None:
        """Write the manifest: one job a text, which is its id and prompt; *edited* gives some a seed."""
        seeds = {text: {"seed": edited[text.replace("-", "_")]} for text in texts
                 if text.replace("-", "_") in edited}  # fmt: skip
        rows = [
            {"id": text, "text": text, "images": [IMAGE], "model": MODEL, **seeds.get(text, {})}
            for text in texts
        ]
        self.manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, *flags: object, script: Script | None = None) -> Life:
        return self.live(*self.run_command(*flags), script=script)

    def run_command(self, *flags: object) -> list[str]:
        """The words of ``run`` on this batch, on the simulator in its own process."""
        words = ("run", self.manifest, "-o", self.folder, "--simulate", *FAST, *flags)
        return [str(word) for word in words]

    @contextmanager
    def serving(self, *faults: str, flags: tuple[object, ...] = ()) -> Iterator[str]:
        """Let the service live in a process of its own, on a port; gives its address."""
        words = ("simulate", "--port", 0, "--films", "tiny", "--state", self.memory, "--service-time", 0.5)
        armed = [word for fault in faults for word in ("--fault", fault)]
        service = Batch(nurseries=self.nurseries, home=self.home / f"service-{self.lives}")
        with service.started(*words, *flags, *armed) as (pid, ended):
            try:
                yield _first_line(service.home / "life-1.out")
            finally:
                os.kill(pid, signal.SIGTERM)
                ended()

    def live(self, *argv: object, script: Script | None = None) -> Life:
        """Let a command live to its end."""
        with self.started(*argv, script=script) as (_, ended):
            return ended()

    @contextmanager
    def started(
        self, *argv: object, script: Script | None = None
    ) -> Iterator[tuple[int, Callable[[], Life]]]:
        """Start a command; gives its process id and the call that waits for its end."""
        self.lives += 1
        order = self._order([str(word) for word in argv], script or Script())
        waited: list[int] = []
        with self.nurseries.one() as nursery:
            pid = nursery.begin(order)

            def ended() -> Life:
                if not waited:
                    waited.append(nursery.end())
                return _life(order, waited[0])

            try:
                yield pid, ended
            finally:
                ended()

    def _order(self, argv: list[str], script: Script) -> dict[str, Any]:
        name = f"life-{self.lives}"
        return {
            **asdict(script),
            "argv": argv, "cwd": str(self.home), "env": {"HOME": str(self.home)},
            "out": str(self.home / f"{name}.out"), "err": str(self.home / f"{name}.err"),
            "report": str(self.home / f"{name}.json"), "memory": str(self.memory),
            "folder": str(self.folder), "lasting": str(self.lasting), "padding": self.padding,
        }  # fmt: skip


def _first_line(path: Path) -> str:
    """Wait for the first line that a command prints."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        line, end, _ = path.read_text().partition("\n") if path.exists() else ("", "", "")
        if end:
            return line
        time.sleep(0.01)
    raise AssertionError(f"nothing was said in {path}")


def _life(order: dict[str, Any], status: int) -> Life:
    report = Path(order["report"])
    left = json.loads(report.read_text()) if report.exists() else {"passes": {}, "on_the_wire": []}
    out, err = (_text(Path(order[name])) for name in ("out", "err"))
    assert "Traceback" not in err, err
    return Life(
        status=status,
        out=out,
        err=err,
        passes=left["passes"],
        on_the_wire=frozenset(left["on_the_wire"]),
    )


def _text(path: Path) -> str:
    """Return what a command said; one that was killed at once has not even opened its streams."""
    return path.read_text(errors="replace") if path.exists() else ""
