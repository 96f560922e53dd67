"""What does a downloaded gigabyte cost, hash, container check and fsync included?

Against ``curl --parallel`` and ``openssl sha256``, eight films at once, from a server that costs little; then
over a link of 2 Gbit/s, where nothing but the link should count.  Beside that stands what could be had here
at all: what curl takes over the same link, syncing nothing, and what the disk takes without any network.

Of CPU the least of some rounds counts, in turn: a host takes back the memory of files that were deleted, and
whoever writes next pays for its return, up to as much again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchrunner import simulator

from .figures import Figure, Finding, Must, Skipped
from .processes import Child, python, run
from .scale import Scale
from .simulator import served

AT_ONCE: Final = 8
LINK_MBIT_PER_S: Final = 2_000
TINY_FILM: Final = Path(simulator.__file__).parent / "tiny.mp4"
SMALL_MB: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    child: Child
    gigabytes: float
    cpu_s: float
    wall_s: float


def downloads(scale: Scale, folder: Path) -> list[Finding]:
    """Fetch the same films with ours and with curl, then over the slow link, then small ones."""
    film = _film(folder / "film.mp4", scale.film_mb)
    with served(_server(film)) as address:
        rounds = [
            (
                _ours(address, folder / "ours", scale.films),
                _curl(address, folder / "curl", scale.films, hashed=True),
            )
            for _ in range(scale.rounds)
        ]
    ours = min((ours for ours, _ in rounds), key=lambda fetched: fetched.cpu_s)
    curl = min(
        (curl for _, curl in rounds if curl is not None), key=lambda fetched: fetched.cpu_s, default=None
    )
    with served(_server(film, LINK_MBIT_PER_S)) as address:
        slow = _ours(address, folder / "slow", scale.films)
        slow_curl = _curl(address, folder / "slow-curl", scale.films, hashed=False)
    disk_s = _disk_s(folder / "written", scale.films, scale.film_mb)
    with served(_server(_film(folder / "small.mp4", SMALL_MB))) as address:
        small = _ours(address, folder / "small", scale.films)
    link_s = slow.gigabytes * 8_000 / LINK_MBIT_PER_S
    return [
        _against_curl(
            ours,
            curl,
            f"{scale.films} films of {scale.film_mb} MB, {AT_ONCE} at once, least of {scale.rounds} rounds",
        ),
        Figure(name="downloads over a link of 2 Gbit/s", unit="s", ours=slow.wall_s, limit=link_s,
               limit_is="the link", must=Must(ratio=1.10), how=f"{slow.gigabytes:.2g} GB; without start"),
        Figure(name="the same, the disk alone", unit="s", ours=disk_s, limit=link_s, limit_is="the link",
               how="each film written and synced, one after the other"),
        _curl_over_the_link(slow_curl, link_s),
        Figure(name=f"peak memory, films of {scale.film_mb} MB", unit="MB", ours=ours.child.peak_mb,
               limit=small.child.peak_mb, limit_is=f"films of {SMALL_MB} MB", must=Must(ratio=1.25),
               how=f"{AT_ONCE} at once"),
    ]  # fmt: skip


def _film(path: Path, megabytes: int) -> Path:
    """Write a whole film of about this size: a tiny one, and a box that players skip (`free`)."""
    tiny, padding = TINY_FILM.read_bytes(), megabytes * 1_000_000
    path.write_bytes(tiny + (padding + 8).to_bytes(4, "big") + b"free")
    os.truncate(path, len(tiny) + 8 + padding)  # zeros that never were in this process' memory
    return path


def _server(film: Path, mbit_per_s: int = 0) -> list[str]:
    return python("-m", "benchmarks.programs.wire_server", "0", film, f"{mbit_per_s}")


def _ours(address: str, folder: Path, films: int) -> _Fetched:
    folder.mkdir()
    child = run(python("-m", "benchmarks.programs.fetch_films", address, folder, f"{films}", f"{AT_ONCE}"))
    found = json.loads(child.stdout)
    shutil.rmtree(folder)
    return _Fetched(child=child, gigabytes=found["bytes"] / 1e9, cpu_s=found["cpu_s"], wall_s=found["wall_s"])


def _curl(address: str, folder: Path, films: int, *, hashed: bool) -> _Fetched | None:
    """Fetch with what one would use without us; None where it is not installed."""
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        return None
    folder.mkdir()
    flags = ("--silent", "--show-error", "--fail", "--parallel", "--parallel-max", f"{AT_ONCE}")
    names = [f"{address}/film/[1-{films}].mp4", "--output", f"{folder}/#1.mp4"]
    child = run(["curl", *flags, *names])
    files = [folder / f"{number}.mp4" for number in range(1, films + 1)]
    hash_s = run(["openssl", "sha256", *map(str, files)]).cpu_s if hashed else 0.0
    gigabytes = sum(file.stat().st_size for file in files) / 1e9
    shutil.rmtree(folder)
    return _Fetched(child=child, gigabytes=gigabytes, cpu_s=child.cpu_s + hash_s, wall_s=child.wall_s)


def _disk_s(folder: Path, films: int, megabytes: int) -> float:
    """Return how long it takes to write so many files of such a size and sync each."""
    folder.mkdir()
    megabyte = bytes(1_000_000)
    began = time.perf_counter()
    for number in range(films):
        with (folder / f"{number}").open("wb", buffering=0) as file:
            for _ in range(megabytes):
                file.write(megabyte)
            os.fsync(file)
    taken_s = time.perf_counter() - began
    shutil.rmtree(folder)
    return taken_s


def _against_curl(ours: _Fetched, curl: _Fetched | None, how: str) -> Finding:
    name = "CPU per GB downloaded, hashed and checked"
    if curl is None:
        return Skipped(name=name, why="curl or openssl not installed")
    return Figure(name=name, unit="s", ours=ours.cpu_s / ours.gigabytes, limit=curl.cpu_s / curl.gigabytes,
                  limit_is="curl --parallel, openssl sha256", must=Must(ratio=1.5),
                  how=f"{how}, fsync included")  # fmt: skip


def _curl_over_the_link(curl: _Fetched | None, link_s: float) -> Finding:
    name = "the same, curl --parallel"
    if curl is None:
        return Skipped(name=name, why="curl or openssl not installed")
    return Figure(name=name, unit="s", ours=curl.wall_s, limit=link_s, limit_is="the link",
                  how="nothing hashed, checked or synced")  # fmt: skip
