"""How long does a batch take against the best possible schedule, and what does a job cost on the way?

The limit is list scheduling: the durations the service itself drew, each begun in order the moment a slot is
free, with no network in between.  Ours and the naive peer run one after the other on services with the same
settings and seed, so with the same durations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from .figures import Figure, Finding, Must, Skipped
from .inputs import MODEL, write_jsonl
from .peers import PEERS, Absent, Peer, require
from .processes import Child, batchrunner, python, run
from .scale import Scale
from .simulator import Record, Simulator, list_schedule_s, served, simulator

SLOTS: Final = 50
LATENCY_S: Final = 0.02
MEDIAN_S: Final = 2
SPREAD: Final = 0.42
SERVICE: Final = (
    "--slots", f"{SLOTS}", "--service-time", f"{MEDIAN_S}s", "--spread", f"{SPREAD}",
    "--latency", f"{LATENCY_S}",
)  # fmt: skip
POLL_INTERVAL: Final = "0.05"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Race:
    """One client's way through the batch."""

    child: Child
    record: Record

    @property
    def ideal_s(self) -> float:
        return list_schedule_s(self.record.service_s, SLOTS)

    def per_job(self, amount: float) -> float:
        return amount / len(self.record.service_s)


def makespan(scale: Scale, folder: Path) -> list[Finding]:
    """Lead the jobs through the pool, through the naive peer and through what others use."""
    manifest = write_jsonl(folder / "jobs.jsonl", scale.jobs)
    ours = _race(lambda address: our_command(manifest, folder / "ours", address))
    peer = _race(lambda address: _peer_command(manifest, folder / "peer", address))
    others = [_against(other, scale, ours, manifest, folder / other.program) for other in PEERS]
    return [*_times(scale, ours, peer), *_costs(ours, peer), *chain.from_iterable(others)]


def _against(peer: Peer, scale: Scale, ours: _Race, manifest: Path, folder: Path) -> list[Finding]:
    """Let a peer do the same batch on a service that speaks its words too."""
    name = f"CPU per job, ours to {peer.name}"
    if not scale.peers:
        return [Skipped(name=name, why="a quick look leaves it out")]
    try:
        require(peer)
    except Absent as absent:
        return [Skipped(name=name, why=str(absent))]
    settings = (f"{SLOTS}", f"{MEDIAN_S}", f"{SPREAD}", f"{LATENCY_S}")
    with served(python("-m", "benchmarks.programs.translated_simulator", *settings)) as address:
        child = run(peer.command(address, manifest, folder, MODEL, SLOTS))
        theirs = _Race(child=child, record=Simulator(address=address).record())
    if len(list(folder.iterdir())) != scale.jobs:
        return [Skipped(name=name, why=f"only {len(list(folder.iterdir()))} of its films arrived")]
    how = f"{peer.how}: {theirs.per_job(theirs.record.polls):.3g} polls a job"
    return [
        Figure(name=name, unit="ms", ours=ours.per_job(ours.child.cpu_s * 1000),
               limit=theirs.per_job(theirs.child.cpu_s * 1000), limit_is=peer.name,
               must=Must(ratio=peer.most), how=how),
        Figure(name=f"makespan, ours to {peer.name}", unit="s", ours=ours.child.wall_s,
               limit=theirs.child.wall_s, limit_is=peer.name,
               how=f"its own: {theirs.child.wall_s / theirs.ideal_s:.2f} of the ideal"),
    ]  # fmt: skip


def our_command(manifest: Path, folder: Path, address: str) -> list[str]:
    flags = ("--concurrency", f"{SLOTS}", "--poll-interval", POLL_INTERVAL)
    return batchrunner("run", manifest, "-o", folder, "--model", MODEL, "--base-url", address, *flags)


def _peer_command(manifest: Path, folder: Path, address: str) -> list[str]:
    program = "benchmarks.programs.fixed_interval"
    return python("-m", program, address, manifest, folder, MODEL, f"{SLOTS}")


def _race(command: Callable[[str], list[str]]) -> _Race:
    with simulator(*SERVICE) as service:
        child = run(command(service.address))
        return _Race(child=child, record=service.record())


def _times(scale: Scale, ours: _Race, peer: _Race) -> list[Figure]:
    wall_s, ended_at = ours.child.wall_s, ours.child.started_at + ours.child.wall_s
    batch = f"{scale.jobs} jobs, {SLOTS} at once"
    return [
        Figure(name="makespan", unit="s", ours=wall_s, limit=ours.ideal_s, limit_is="ideal list schedule",
               must=Must(ratio=1.06), how=f"{batch}, lognormal 2 s / 0.42, 20 ms away; the whole process"),
        Figure(name="makespan of the naive peer", unit="s", ours=peer.child.wall_s, limit=peer.ideal_s,
               limit_is="ideal list schedule", how="httpx script, 2 s between looks, slot held"),
        Figure(name="makespan, ours to the peer's", unit="s", ours=wall_s, limit=peer.child.wall_s,
               limit_is="naive peer", must=Must(ratio=0.74), how="the two above"),
        Figure(name="from start to first acceptance", unit="s",
               ours=ours.record.accepted_at[0] - ours.child.started_at, how="part of our makespan"),
        Figure(name="from last film ready to exit", unit="s", ours=ended_at - ours.record.last_end_at,
               how="part of our makespan"),
    ]  # fmt: skip


def _costs(ours: _Race, peer: _Race) -> list[Figure]:
    return [
        Figure(name="polls per job", unit="polls", ours=ours.per_job(ours.record.polls),
               limit=peer.per_job(peer.record.polls), limit_is="naive peer", must=Must(ours=20),
               how=f"the service's count; --poll-interval {POLL_INTERVAL}"),
        Figure(name="CPU per job", unit="ms", ours=ours.per_job(ours.child.cpu_s * 1000),
               limit=peer.per_job(peer.child.cpu_s * 1000), limit_is="naive peer",
               how="user and system time of the process"),
        Figure(name="peak memory of the run", unit="MB", ours=ours.child.peak_mb, limit=peer.child.peak_mb,
               limit_is="naive peer", how="the kernel's account of the process"),
    ]  # fmt: skip
