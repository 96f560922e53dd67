"""What one forked command is made to meet: a service with faults, a point of death, a disk that fails."""

from __future__ import annotations

import os
import resource
from functools import partial
from pathlib import Path
from typing import Any

import anyio._backends._asyncio  # noqa: F401 (loaded here so that every command finds it loaded)
import httpx

from batchrunner import simulator
from batchrunner.cli import cancel, resolve, results, run, run_main, simulate, status, verify  # noqa: F401
from batchrunner.files import shelf
from batchrunner.simulator import Films, SimulatorSettings, open_simulator, parse_fault, transport
from batchrunner.simulator.film_order import FilmOrder
from batchrunner.simulator.studio import TinyStudio

from .crash_points import Point
from .cuts import Cut
from .films import film_of
from .mishaps import MISHAPS
from .power import Disk
from .seams import Wire, put, watch
from .watcher import Watcher


def drive(order: dict[str, Any]) -> int:
    """Run the command of *order*; unless it is made to die, return its exit code."""
    os.umask(0o077)
    watcher = Watcher(
        die_at=Point(order["die_at"]) if order["die_at"] else None,
        nth=order["nth"],
        interrupt_at=Point(order["interrupt_at"]) if order["interrupt_at"] else None,
        befall_at=Point(order["befall_at"]) if order["befall_at"] else None,
        befall=partial(MISHAPS[order["befalls"]], Path(order["folder"])) if order["befalls"] else _nothing,
        report=Path(order["report"]),
    )
    if order["power_cut"]:
        disk = Disk(Path(order["folder"]))
        disk.watch()
        watcher.before_death = partial(disk.write_what_lasts, Cut(order["power_cut"]), Path(order["lasting"]))
    watch(watcher)
    _furnish(watcher, order)
    _break_disk(order)
    code = run_main(order["argv"])
    watcher.write_report()
    return code


def _nothing() -> None:
    """Let the folder be."""


def _furnish(watcher: Watcher, order: dict[str, Any]) -> None:
    """Let ``--simulate`` find the test's own service, whose memory lies outside the output folder."""
    padding = order["padding"]

    async def make(studio: TinyStudio, wanted: FilmOrder) -> bytes:
        return film_of(wanted.text, padding)

    put(TinyStudio, "make", make)
    if order["argv"][0] == "simulate":
        return  # a service of its own, for commands that reach it over a socket
    settings = SimulatorSettings(films=Films.TINY, **order["service"])
    faults = [parse_fault(line) for line in order["faults"]]

    def opened(*, state: Path) -> simulator.Service:
        return open_simulator(settings, state=Path(order["memory"]), faults=faults)

    def watched(service: simulator.Service, clock: Any) -> httpx.AsyncBaseTransport:
        return Wire(transport(service, clock), watcher)

    put(simulator, "open_simulator", opened)
    put(simulator, "transport", watched)


def _break_disk(order: dict[str, Any]) -> None:
    if order["file_limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
    if order["write_errno"] is not None:
        number = order["write_errno"]

        async def failing(part: shelf.DiskPart, chunk: bytes) -> None:
            raise OSError(number, os.strerror(number))

        put(shelf.DiskPart, "write", failing)
