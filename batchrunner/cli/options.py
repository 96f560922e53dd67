"""The flags that commands share; every one also has a ``BATCHRUNNER_*`` name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from ..durations import parse_duration, parse_until
from ..money.amounts import parse_usd
from ..objects import FOLDER, REMOTE, Place, parse_place
from ..policy.breaker import Breaker
from ..settings import OnInterrupt, OnUnknown, PollSpacing
from ..sharding import Shard

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """Seconds when bare, or with a unit: ``90s``, ``30m``, ``2h``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Until(click.ParamType[float]):
    """An instant: ``HH:MM``, ISO 8601, or ``+2h``; becomes Unix seconds."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return parse_until(value, now=datetime.now()).timestamp()
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Halt(click.ParamType[str]):
    """``20``, ``20%`` or ``off``."""

    name = "failures"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            Breaker.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Usd(click.ParamType[int]):
    """US dollars, such as ``5`` or ``0.25``; becomes micro-dollars."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_usd(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ShardOf(click.ParamType[Shard]):
    """``I/N``: the I-th of N, from 1."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        try:
            return Shard.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """A flag with its environment name: ``--max-attempts`` is also ``BATCHRUNNER_MAX_ATTEMPTS``."""
    long = next(name for name in names if name.startswith("--"))
    env = "BATCHRUNNER_" + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=env, show_envvar=False, **settings)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several flags as one decorator, in the order given."""

    def decorate(command: F) -> F:
        for one in reversed(options):
            command = one(command)
        return command

    return decorate


manifest_argument = click.argument("manifest", metavar="MANIFEST")
folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))

manifest_options = together(
    option("--model", help="The model of rows that name none."),
    option("--schema", "schemas", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
           help="A model's input schema, for a model that is not bundled."),
    option("--input-format", type=click.Choice(["yaml", "csv", "tsv", "jsonl"]),
           help="The manifest's format, when its name does not say it (standard input is '-')."),
)  # fmt: skip


class StoragePlace(click.ParamType[Place]):
    """A place in an object store: ``s3://BUCKET/PREFIX``."""

    name = "place"

    def __init__(self, flag: str, *schemes: str) -> None:
        self._flag = flag
        self._schemes = schemes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        return value if isinstance(value, Place) else parse_place(value, self._flag, self._schemes)


store_options = together(
    option("--store", type=StoragePlace("--store", *REMOTE, FOLDER), metavar="s3://BUCKET/PREFIX",
           help="Put the films there as well, once they are checked; also gs://, az:// and file:///FOLDER."),
    click.option("--keep-local/--drop-local", default=None, envvar="BATCHRUNNER_KEEP_LOCAL",
                 help="Whether films stay in the folder once the store has them; they do."),
)  # fmt: skip

presign_option = option(
    "--presign", type=Duration(), metavar="DURATION",
    help="Give stored films an address that anybody can fetch for so long, such as 24h.",
)  # fmt: skip

stage_option = option(
    "--stage", type=StoragePlace("--stage", *REMOTE), metavar="s3://BUCKET/PREFIX",
    help="Where local images are put for the service to fetch; also gs:// and az://.",
)  # fmt: skip

images_option = option(
    "--check-images",
    is_flag=True,
    help="Look at each image once, as the service will, before anything is paid.",
)

json_option = option("--json", "as_json", is_flag=True, help="Data for programs, on standard output.")
quiet_option = option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
verbose_option = option("-v", "--verbose", is_flag=True, help="Say every step of every job.")

run_options = together(
    option("--concurrency", type=click.IntRange(1), default=8, show_default=True,
           help="Jobs at once at the service."),
    option("--downloads", type=click.IntRange(1), default=4, show_default=True, help="Downloads at once."),
    option("--poll-interval", type=Duration(), default="2s", show_default=True,
           help="The shortest wait between two looks at a job."),
    option("--poll-spacing", type=click.Choice([str(word) for word in PollSpacing]), default="learned",
           show_default=True, help="Place looks by the run times seen so far, or evenly."),
    option("--poll-rate", type=click.FloatRange(0, min_open=True), metavar="N",
           help="At most N looks a second, all jobs together."),
    option("--max-attempts", type=click.IntRange(1), default=3, show_default=True,
           help="Paid tries of a job whose generation fails."),
    option("--job-timeout", type=Duration(), default="60m", show_default=True,
           help="How long this run waits for one job; a later run goes on waiting."),
    option("--max-outage", type=Duration(), default="30m", show_default=True,
           help="How long the service may be away before the run ends."),
    option("--on-unknown", type=click.Choice([str(word) for word in OnUnknown]), default="hold",
           show_default=True, help="Submissions in doubt: hold them, or submit again and maybe pay twice."),
    option("--on-interrupt", type=click.Choice([str(word) for word in OnInterrupt]), default="leave",
           show_default=True, help="What happens to queued requests when the run is stopped by hand."),
    option("--halt-on-failures", type=Halt(), default="20", show_default=True, metavar="N|SHARE%|off",
           help="Submit nothing more when the first N all failed, or a share of all did."),
    option("--retry", multiple=True, metavar="failed|unknown|cancelled|ERROR_CODE",
           help="Run these again with fresh attempts (repeatable)."),
    option("--redo", multiple=True, metavar="GLOB",
           help="Run these ids again even if they succeeded; the old films are kept (repeatable)."),
    option("--only", multiple=True, metavar="GLOB", help="Submit only these ids (repeatable)."),
    option("--limit", type=click.IntRange(0), metavar="N", help="New submissions in this run."),
    option("--sample", type=click.IntRange(0), metavar="N", help="Submit only N jobs, always the same ones."),
    option("--shard", type=ShardOf(), metavar="I/N",
           help="Only the I-th of N parts, in DIR/shards/: N such runs, anywhere, do the whole batch."),
    option("--engine", type=click.Choice(["dask"]),
           help="Run all shards on a Dask cluster: one started here, or that of --scheduler."),
    option("--scheduler", metavar="ADDRESS", help="--engine: a cluster that is there, tcp://HOST:PORT."),
    option("--workers", type=click.IntRange(1), metavar="W",
           help="--engine: shards at once  [default: a worker each, or each CPU here]"),
    option("--shards", type=click.IntRange(1), metavar="N",
           help="--engine: parts of a new batch  [default: four for each worker]"),
    option("--until", type=Until(), metavar="HH:MM|ISO|+2h", help="Submit nothing after this instant."),
    images_option,
    stage_option,
    store_options,
    option("--max-cost", type=Usd(), metavar="USD",
           help="Submit nothing that would bring the folder's cost above this, earlier runs included."),
    option("--confirm-above", type=Usd(), metavar="USD",
           help="Ask before a run that may cost more  [default: 20, on a terminal]"),
    option("--price", type=Usd(), metavar="USD",
           help="What a job costs where the catalogue gives no price."),
    option("--submit-only", is_flag=True, help="Submit, and leave the collecting to a later run."),
    option("--collect-only", is_flag=True, help="Collect what was submitted; submit nothing."),
    option("--name", metavar="PATTERN",
           help="What files are called below videos/, such as '{model}/{seed}-{id}'; the folder keeps it."),
    option("--on-finish", metavar="CMD",
           help="Run CMD by the shell when the run has ended, with the summary as JSON on its input."),
    option("--notify", multiple=True, metavar="URL",
           help="Say how the run ended to an address of ntfy, Slack, e-mail, ...: any that apprise knows."),
    option("--yes", is_flag=True, help="Answer yes where a question would be asked."),
    option("--progress", type=click.Choice(["auto", "live", "plain", "none"]), default="auto",
           show_default=True, help="How the run shows its progress."),
    json_option,
    quiet_option,
    verbose_option,
)  # fmt: skip
