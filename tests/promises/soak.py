"""Batches that are killed at random instants, in random bad weather, until so many kills were survived.

``python -m tests.promises.soak --kills 200`` prints what was counted and fails when anything was accepted
twice or lost.  Instants and weather are drawn from ``--seed``; the machine's own pace adds to them.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path

from .books import complaints, left_open, read_books
from .lives import Batch, Script
from .nurseries import WORKERS, Nurseries

JOBS = tuple(f"job-{number}" for number in range(8))
LONGEST_S = 0.6
"""About as long as an undisturbed run of the batch takes, on the hurried clocks."""

WEATHER = (
    "submit throttled share=0.2 times=always",
    "submit unavailable share=0.1 times=always",
    "submit close share=0.05 times=always",
    "submit close accepted=yes share=0.05 times=always",
    "submit reset accepted=yes share=0.05 times=always",
    "status answer status=500 share=0.2 times=always",
    "status reset share=0.1 times=always",
    "result html share=0.2 times=always",
    "result not-ready share=0.1 times=always",
    "file cut size=900 share=0.2 times=always",
    "file cut size=2000 framing=close share=0.2 times=always",
    "file zero-tail share=0.1 times=always",
    "file dead share=0.1 times=always",
    "file answer status=503 share=0.1 times=always",
)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted over all batches."""

    kills: int = 0
    batches: int = 0
    jobs: int = 0
    accepted: int = 0
    films: int = 0
    in_doubt: int = 0
    accepted_twice: int = 0
    lost: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def words(self) -> str:
        return (
            f"{self.kills} kills survived in {self.batches} batches of {len(JOBS)} jobs:"
            f" {self.accepted} prompts accepted, {self.films} films, {self.in_doubt} in doubt;"
            f" accepted twice {self.accepted_twice}, lost {self.lost}"
        )


def soak(nurseries: Nurseries, home: Path, kills: int, seed: int) -> Tally:
    """Kill and go on until *kills* were survived."""
    total = Tally()
    while total.kills < kills:
        share = max(1, (kills - total.kills) // WORKERS)
        rounds = [
            partial(
                _one_batch, nurseries, home / f"batch-{total.batches + n}", share, seed + total.batches + n
            )
            for n in range(WORKERS)
        ]
        for tally in nurseries.at_once(rounds):
            total.add(tally)
    return total


def _one_batch(nurseries: Nurseries, home: Path, most_kills: int, seed: int) -> Tally:
    """Kill one batch again and again until nothing is open, then look at the books."""
    chance = random.Random(seed)
    batch = Batch(nurseries=nurseries, home=home)
    batch.write(*JOBS)
    weather = tuple(fault for fault in WEATHER if chance.random() < 0.4)
    tally = Tally(batches=1, jobs=len(JOBS))
    while tally.kills < most_kills and not _is_over(batch):
        service = {"service_time_s": 1.0, "slots": 3, "seed": chance.randrange(99)}
        script = Script(faults=weather, service=service, kill_after_s=chance.uniform(0, LONGEST_S))
        tally.kills += batch.run("--concurrency", 4, script=script).killed
    last = batch.run("--retry", "cancelled")  # in fair weather, to the end
    if last.code not in (0, 1):
        tally.complaints.append(f"exit code {last.code}: {last.err}")
    _count(batch, tally)
    return tally


def _is_over(batch: Batch) -> bool:
    books = read_books(batch)
    return bool(books.rows) and not left_open(books)


def _count(batch: Batch, tally: Tally) -> None:
    books = read_books(batch)
    tally.accepted = len(books.accepted)
    tally.films = sum(row.state == "succeeded" for row in books.rows.values())
    tally.in_doubt = sum(row.state == "unknown" for row in books.rows.values())
    tally.complaints += complaints(batch, books)
    tally.complaints += [f"{job_id} is still open" for job_id in left_open(books)]
    tally.accepted_twice = sum(times > 1 for times in books.paid.values())
    in_no_book = sum(request_id not in books.recorded for request_id, _ in books.accepted)
    tally.lost = max(0, in_no_book - books.doubtful.total())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args(arguments)
    nurseries = Nurseries()
    with tempfile.TemporaryDirectory() as home:
        tally = soak(nurseries, Path(home), asked.kills, asked.seed)
        nurseries.close()
    sys.stdout.write(f"{tally.words()} (seed {asked.seed})\n")
    for complaint in tally.complaints:
        sys.stdout.write(f"  {complaint}\n")
    return 1 if tally.complaints or tally.accepted_twice or tally.lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
