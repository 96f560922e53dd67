"""The command line as a user has it: a process of its own, its exit code, its two streams, its folder."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from .fake_service import MODEL, FakeService
from .forked import PATIENCE_S, Forked, Forks

TOKEN = "rc-secret-5b1c0ffee"
IMAGE = "https://images.example.com/fox.png"
FAST = ("--poll-interval", "0.05", "--progress", "none")

Process: TypeAlias = subprocess.Popen[str] | Forked


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user who has a token and none of ours set."""
    ours = ("RUNCOMFY", "BATCHRUNNER", "COMFY_", "XDG_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home), "RUNCOMFY_API_TOKEN": TOKEN, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left: its code and its words."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def start(*arguments: object, env: dict[str, str], **settings: Any) -> subprocess.Popen[str]:
    """Start a command without waiting for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "batchrunner", *map(str, arguments)],
        env=env, text=True, encoding="utf-8",
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
    )  # fmt: skip


def finish(process: Process, *, typed: str | None = None) -> Outcome:
    """Wait for a command and return what it left; one that hangs fails the test."""
    try:
        out, err = process.communicate(typed, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the command hung\n{out}\n{err}") from None
    except BaseException:  # the test's time is over, say
        process.kill()
        raise
    assert "Traceback" not in err, err
    return Outcome(code=process.returncode, out=out, err=err)


FORKS = Forks()
atexit.register(FORKS.close)


@dataclass(slots=True, kw_only=True)
class Batch:
    """One manifest, one output folder, and commands on them."""

    home: Path
    fake: FakeService | None = None
    manifest: Path = field(init=False)
    folder: Path = field(init=False)
    _started: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manifest = self.home / "jobs.jsonl"
        self.folder = self.home / "out"

    def write(self, *rows: dict[str, Any] | str) -> None:
        """Write the manifest; a bare text is a job whose id and prompt it is."""
        filled = [{"id": row, "text": row} if isinstance(row, str) else row for row in rows]
        whole = [{"model": MODEL, "images": [IMAGE], **row} for row in filled]
        self.manifest.write_text("".join(json.dumps(row) + "\n" for row in whole), encoding="utf-8")

    def env(self, **more: str) -> dict[str, str]:
        return environment(self.home, **more)

    def call(self, *arguments: object, typed: str | None = None, **more: str) -> Outcome:
        """Run any command to its end, in a process of its own."""
        if not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in more):
            words = list(map(str, arguments))
            return finish(FORKS.start(words, env=self.env(**more), cwd=self.home, typed=typed))
        stdin = subprocess.DEVNULL if typed is None else subprocess.PIPE
        return finish(start(*arguments, env=self.env(**more), stdin=stdin, cwd=self.home), typed=typed)

    def start_run(self, *flags: object) -> Process:
        """Start ``run`` and leave it running."""
        process = FORKS.start(list(map(str, self._run(flags))), env=self.env(), cwd=self.home)
        self._started.append(process)
        return process

    def start_run_anew(self, *flags: object, **settings: Any) -> subprocess.Popen[str]:
        """Start ``run`` in an interpreter of its own, and leave it running."""
        process = start(*self._run(flags), env=self.env(), cwd=self.home, **settings)
        self._started.append(process)
        return process

    def close(self) -> None:
        """Leave no process behind, however the test went."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run(self, *flags: object, **more: str) -> Outcome:
        """Run the manifest to its end."""
        return self.call(*self._run(flags), **more)

    def resume(self, *flags: object) -> Outcome:
        """Go on without the manifest."""
        return self.call("resume", self.folder, *self._address(), *FAST, *flags)

    def plan(self, *flags: object) -> dict[str, Any]:
        outcome = self.call("plan", self.manifest, "-o", self.folder, *self._address(), "--json", *flags)
        assert outcome.code == 0, outcome
        return dict(outcome.json)

    def status(self) -> dict[str, Any]:
        outcome = self.call("status", self.folder, "--json")
        assert outcome.code == 0, outcome
        return dict(outcome.json)

    @property
    def states(self) -> dict[str, int]:
        """The states that jobs of the manifest are in, as the last orderly exit wrote them down."""
        return dict(Counter(line["status"] for line in self.results().values() if line["in_manifest"]))

    @property
    def states_now(self) -> dict[str, int]:
        """The same as ``status`` counts them: also while a run works, or after it was stopped."""
        return {state: n for state, n in self.status()["states"].items() if n}

    def results(self) -> dict[str, dict[str, Any]]:
        """``results.jsonl`` by id."""
        text = (self.folder / "results.jsonl").read_text(encoding="utf-8")
        return {line["id"]: line for line in map(json.loads, text.splitlines())}

    def live(self) -> dict[str, dict[str, Any]]:
        """The ledger's lines by id, also while (or after) a run that wrote no results file."""
        outcome = self.call("results", self.folder, "--json")
        return {line["id"]: line for line in outcome.lines}

    def _run(self, flags: tuple[object, ...]) -> list[object]:
        return ["run", self.manifest, "-o", self.folder, *self._address(), *FAST, *flags]

    def _address(self) -> tuple[object, ...]:
        return () if self.fake is None else ("--base-url", self.fake.url)


def wait_until(
    condition: Callable[[], object], what: str = "what was waited for", *, patience_s: float = 30
) -> None:
    """Look again and again until *condition* holds; a test's patience is bounded."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.01)


@contextmanager
def simulating(home: Path, *flags: object) -> Iterator[str]:
    """A simulator in a process of its own; gives its address."""
    process = start("simulate", "--films", "tiny", *flags, env=environment(home), stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
