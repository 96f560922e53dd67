"""Is the owner of a shard on another machine dead, or may it still submit?

A lock proves it on one machine, where the system lets go of it with the process.  Across machines it is the
file server's word, which can be lost with the connection.  So whoever owns a shard also holds a lease, a
small file that it renews; and two rules keep two owners apart without comparing any clocks:

- Who takes over from another machine has itself seen the lease stand unchanged for its whole duration.
- The owner submits only while its last renewal *began* less than the duration ago, and a POST more.

Why that is enough: docs/decisions/0019-engine.md
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from msgspec import Struct, field
from msgspec.structs import replace

from ..client import Timeouts
from ..clock import sleepless_time
from ..durations import format_duration
from ..errors import BatchrunnerError, Exit, FolderTaken

LEASE: Final = "lease"

SPARE_S: Final = 10.0
"""Between the end of the last POST and the end of the lease: for the commits around it."""

RENEWALS: Final = 5
"""Tries before an owner that cannot renew has to stop submitting."""

LOOKS: Final = 20
"""Looks at a lease that somebody watches."""


class CutOff(BatchrunnerError):
    """The shard may be somebody else's by now: nothing more is submitted here."""

    exit_code = Exit.OPEN


class Terms(Struct, frozen=True, kw_only=True):
    """How long a lease lasts, and how much of that is kept for what has begun."""

    duration_s: float
    post_s: float
    """A POST that begins now is over, and its answer recorded, within so long."""

    @classmethod
    def of(cls, timeouts: Timeouts) -> Self:
        """Return the terms where a POST may take as long as *timeouts* say; its few bytes leave at once."""
        post_s = timeouts.connect_s + timeouts.post_s + SPARE_S
        return cls(duration_s=2 * post_s, post_s=post_s)

    def may_write(self, *, now: float, renewed_at: float) -> bool:
        """Return whether certainly nobody has taken the lease over yet: what has begun may be recorded."""
        return now - renewed_at < self.duration_s - SPARE_S / 2

    def may_submit(self, *, now: float, renewed_at: float) -> bool:
        """Return whether a POST that begins now is over before anybody may take the lease over."""
        return now - renewed_at < self.duration_s - self.post_s

    @property
    def renew_every_s(self) -> float:
        return (self.duration_s - self.post_s) / RENEWALS


class Held(Struct, frozen=True, kw_only=True):
    """What the file says; who renews it counts up."""

    nonce: str
    host: str
    pid: int
    counter: int
    duration_s: float

    @staticmethod
    def read(path: Path) -> Held | None:
        """Return what the file at *path* says, or UNREADABLE; None where there is none."""
        try:
            return Held(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return UNREADABLE

    def write(self, path: Path) -> None:
        """Say it, in place: a file server asks after a file it knows at every open, not after new names."""
        said = {"nonce": self.nonce, "host": self.host, "pid": self.pid, "counter": self.counter,
                "duration_s": self.duration_s}  # fmt: skip
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            written = os.write(handle, json.dumps(said).encode())
            os.ftruncate(handle, written)
            os.fsync(handle)
        finally:
            os.close(handle)

    def begin(self, path: Path) -> None:
        """Say it for the first time, whole or not at all: whoever meets half of it would wait for nothing."""
        new = path.with_name(f"{path.name}.new")
        self.write(new)
        new.replace(path)


UNREADABLE: Final = Held(nonce="", host="a machine unknown", pid=0, counter=0, duration_s=0.0)
"""Half of a lease, met while it was written or left by a kill: whose it is nobody knows, so it is watched."""


def this_machine() -> str:
    """Return a name that no other machine has, and this one until it is started again."""
    boot = "?"
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{socket.gethostname()}/{boot}"


class Lease(Struct):
    """One shard's lease, for the process that has its lock."""

    folder: Path
    terms: Terms
    host: str = field(default_factory=this_machine)
    clock: Callable[[], float] = sleepless_time
    """Goes on while the machine sleeps, so that no lease looks younger than it is."""
    watch_clock: Callable[[], float] = time.monotonic
    """Stands still while the machine sleeps, so that nothing is watched for longer than it was."""
    sleep: Callable[[float], None] = time.sleep
    _held: Held | None = None
    _renewed_at: float = 0.0

    @property
    def path(self) -> Path:
        return self.folder / LEASE

    def take(self, tell: Callable[[str], None] = lambda words: None) -> None:
        """Take the lease; from an owner on another machine only after it was seen to be dead.

        Raises FolderTaken when that one is alive.  *tell* hears for how long it is watched.
        """
        before = Held.read(self.path)
        if before is not None and before.host != self.host:
            self._watch(before, tell)
        own = Held(
            nonce=secrets.token_hex(8), host=self.host, pid=os.getpid(), counter=0,
            duration_s=self.terms.duration_s,
        )  # fmt: skip
        self._say(own, own.begin)

    def _watch(self, before: Held, tell: Callable[[str], None]) -> None:
        """Return when *before* has stood unchanged for its duration."""
        whose = f"process {before.pid} on {before.host.partition('/')[0]}"
        duration_s = before.duration_s or self.terms.duration_s
        tell(
            f"{self.folder} was owned by {whose}, which did not let go of it;"
            f" watched for {format_duration(duration_s)} to be sure that it is dead"
        )
        began = self.watch_clock()
        while self.watch_clock() - began <= duration_s:
            self.sleep(duration_s / LOOKS)
            if Held.read(self.path) != before:
                raise FolderTaken(
                    f"{self.folder} is in use by {whose}: its lease is renewed",
                    hint="wait for that run, or stop it with Ctrl-C where it runs",
                )

    def renew(self) -> None:
        """Renew it in time; one that has run out, or is somebody else's, is lost for good."""
        held = self._held
        if held is None or not self._is_good:
            return
        if Held.read(self.path) != held:
            self._held = None
            return
        renewed = replace(held, counter=held.counter + 1)
        self._say(renewed, renewed.write)

    def _say(self, held: Held, say: Callable[[Path], None]) -> None:
        began = self.clock()
        say(self.path)
        self._held, self._renewed_at = held, began

    @property
    def _is_good(self) -> bool:
        return self._held is not None and self.terms.may_submit(now=self.clock(), renewed_at=self._renewed_at)

    def check(self) -> None:
        """Raise CutOff unless a POST that begins now is certainly over before anybody may take over."""
        if not self._is_good:
            raise self._cut_off()

    def check_writing(self) -> None:
        """Raise CutOff where the ledger may be another owner's by now."""
        now = self.clock()
        if self._held is None or not self.terms.may_write(now=now, renewed_at=self._renewed_at):
            raise self._cut_off()

    def _cut_off(self) -> CutOff:
        return CutOff(
            f"the lease on {self.folder} could not be renewed in time: another machine may go on with it",
            hint="once the folder can be reached again, the same command goes on",
        )

    def let_go(self) -> None:
        """Say that nobody need wait for it; of no effect where it is somebody else's."""
        with suppress(OSError):
            if self._held is not None and Held.read(self.path) == self._held:
                self.path.unlink()


@contextmanager
def kept(*leases: Lease) -> Iterator[None]:
    """Renew the leases while the block lasts, then let go of them."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(min(lease.terms.renew_every_s for lease in leases)):
            for lease in leases:
                with suppress(OSError):  # tried again soon; until then the time runs
                    lease.renew()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for lease in leases:
            lease.let_go()
