"""The command ``simulate``: the simulated service on a local port, for as long as it is wanted.

The first line on standard output is the address, and nothing else goes there; words go to standard error.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import anyio
import click

from .. import event_loop
from ..durations import format_duration, parse_duration
from ..errors import FolderUnusable, Usage
from ..simulator.fault_text import PRESETS, load_faults, parse_fault
from ..simulator.faults import KINDS, Fault
from ..simulator.settings import Films, NoBalance, NotReady, Shape, SimulatorSettings
from ..simulator.studio import can_make_films

HOST: Final = "127.0.0.1"


def duration(text: str) -> float:
    """A duration: seconds when bare, or with a unit."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def fault(line: str) -> Fault:
    """A fault as fault_text.py reads it."""
    try:
        return parse_fault(line)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _fault_words() -> str:
    """The list of faults for ``--help``, from the tables that also read them."""
    kinds = [f"  {do!s:<14} {kind.says}" for do, kind in KINDS.items()]
    presets = [f"  {word:<14} = {meaning}" for word, meaning in PRESETS.items()]
    lines = [
        'A fault is written WHERE WHAT [NAME=VALUE ...], such as: submit close accepted=yes match="red fox"',
        "WHERE: submit, status, result, cancel, models, categories, model, balance, file, any.",
        "Every fault has match=TEXT, times=N|always (1), skip=N, each=yes|no, share=0..1.  WHAT:",
        *kinds,
        *presets,
    ]
    return "\b\n" + "\n".join(lines)


def _option(*names: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A flag that has an environment name, too."""
    env = "BATCHRUNNER_SIMULATE_" + names[0].removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=env, show_default=True, **settings)


def _words(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in kind])


@click.command(name="simulate", epilog=_fault_words())
@_option("--port", type=click.IntRange(0, 65_535), default=0, help="Port on 127.0.0.1; 0 picks a free one.")
@_option("--slots", type=click.IntRange(1), default=4, help="Requests worked on at once.")
@_option("--service-time", type=duration, default="4s", help="Median time a request takes in its slot.")
@_option("--spread", type=click.FloatRange(0), default=0.25, help="Sigma of the lognormal service time.")
@_option("--latency", type=duration, default="0s", help="Time from a request to its answer.")
@_option("--films", type=_words(Films), default="real", help="Make each film, or one tiny film.")
@_option("--state", type=click.Path(path_type=Path, dir_okay=False), help="Remember in FILE across restarts.")
@click.option("--fault", "faults", type=fault, multiple=True, help="Something that goes wrong; see below.")
@_option("--faults", "fault_files", type=click.Path(path_type=Path), multiple=True, help="A file of faults.")
@_option(
    "--fail-share", type=click.FloatRange(0, 1), default=0.0, help="Share of requests whose generation fails."
)
@_option("--moderate", "moderated_word", help="Requests with this word fail with a moderation message.")
@_option("--shape", type=_words(Shape), default="video", help="Where the links stand in a result.")
@_option("--outputs", type=click.IntRange(1, 99), default=1, help="Links per result, where the shape allows.")
@_option("--not-ready", type=_words(NotReady), default="state", help="An early /result.")
@_option("--model", "models", multiple=True, help="A further model id it knows, without a schema.")
@_option("--strict", is_flag=True, help="Refuse inputs outside the schema with 422.")
@_option(
    "--price", "price_usd", type=click.FloatRange(0), default=0.02, help="US dollars per second of film."
)
@_option("--balance", "balance_usd", type=float, default=1_000_000.0, help="US dollars on the account.")
@_option(
    "--no-balance", type=_words(NoBalance), default="code", help="A submission beyond it: 400002 or HTTP 402."
)
@_option("--seed", type=int, default=0, help="Another seed, other service times and failures.")
def simulate(
    port: int,
    state: Path | None,
    faults: tuple[Fault, ...],
    fault_files: tuple[Path, ...],
    models: tuple[str, ...],
    service_time: float,
    latency: float,
    films: str,
    shape: str,
    not_ready: str,
    no_balance: str,
    **settings: Any,
) -> None:
    """Stand in for the RunComfy Model API on a local port; any token will do, nothing is billed.

    Prints its address as the first line.  Ends with Ctrl-C or SIGTERM.
    """
    asked = SimulatorSettings(
        service_time_s=service_time,
        latency_s=latency,
        films=Films(films),
        shape=Shape(shape),
        not_ready=NotReady(not_ready),
        no_balance=NoBalance(no_balance),
        models={model: {} for model in models},
        **settings,
    )
    armed = (*faults, *(fault for path in fault_files for fault in _load(path)))
    event_loop.run(_serve, asked, state, armed, port)


def _load(path: Path) -> tuple[Fault, ...]:
    try:
        return load_faults(path)
    except (OSError, ValueError) as error:
        hint = "`batchrunner simulate --help` ends with the list of faults"
        raise Usage(f"--faults: {error}", hint=hint) from error


async def _serve(
    settings: SimulatorSettings, state: Path | None, faults: tuple[Fault, ...], port: int
) -> None:
    from ..simulator import open_simulator, serve  # sockets and rules only when it really serves

    try:
        service = open_simulator(settings, state=state, faults=faults)
    except sqlite3.Error as error:
        raise FolderUnusable(f"--state {state}: {error}", hint="name a new file, or one made here") from error
    refused: OSError | None = None
    async with anyio.create_task_group() as tasks:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            try:
                _announce(settings, await tasks.start(serve, service, HOST, port))
                await anext(aiter(signals))
            except OSError as error:
                refused = error
        tasks.cancel_scope.cancel()
    service.close()
    if refused is not None:
        raise Usage(
            f"cannot listen on {HOST}:{port}: {refused}", hint="--port 0 picks a free port"
        ) from refused
    click.echo(f"Stopped; accepted in all: {len(service.accepted)}.", err=True)


def _announce(settings: SimulatorSettings, port: int) -> None:
    address = f"http://{HOST}:{port}"
    click.echo(address)  # flushed by click, so that a program can wait for it
    median = format_duration(settings.service_time_s)
    click.echo(
        f"A simulated service: {settings.slots} at once, about {median} each. Ctrl-C ends it.", err=True
    )
    if settings.films is Films.REAL and not can_make_films():
        click.echo("Films are tiny; real ones: pip install 'batchrunner[simulator]'", err=True)
    run = f"batchrunner run MANIFEST -o DIR --base-url {address}"
    click.echo(f"Try: RUNCOMFY_API_TOKEN=any {run}", err=True)
