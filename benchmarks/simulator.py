"""The service that benchmarks run against: `batchrunner simulate` in a process of its own, and its record."""

from __future__ import annotations

import heapq
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from .processes import ROOT, ChildFailed, batchrunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the service saw, by its own clock and counters."""

    accepted_at: tuple[float, ...]
    """Instants of the acceptances, in their order (Unix seconds)."""
    service_s: tuple[float, ...]
    """How long each request took in its slot, in the same order."""
    last_end_at: float
    polls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A running service."""

    address: str

    def record(self) -> Record:
        """Ask the service what it has seen so far."""
        with urlopen(f"{self.address}/_simulator/requests") as answer:
            seen = json.load(answer)
        requests = seen["requests"]
        return Record(
            accepted_at=tuple(request["accepted_at"] for request in requests),
            service_s=tuple(request["end_at"] - request["start_at"] for request in requests),
            last_end_at=max(request["end_at"] for request in requests),
            polls=seen["counters"]["polls"],
        )


@contextmanager
def simulator(*flags: str) -> Iterator[Simulator]:
    """Start `simulate` on a free port and end it with the block."""
    with served(batchrunner("simulate", "--port", "0", "--films", "tiny", *flags)) as address:
        yield Simulator(address=address)


@contextmanager
def served(command: Sequence[str]) -> Iterator[str]:
    """Start a server whose first line is its address, and end it with the block."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise ChildFailed(f"{' '.join(command)} said no address")
            yield address
        finally:
            process.terminate()


def list_schedule_s(durations: Sequence[float], slots: int) -> float:
    """Return how long *durations* take when each begins, in order, the moment a slot is free."""
    free_at = [0.0] * slots
    for duration in durations:
        heapq.heapreplace(free_at, free_at[0] + duration)
    return max(free_at)
