"""The commands ``run``, ``resume`` and ``plan``: the same flags become the same order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import click
from msgspec.structs import replace

from .. import event_loop
from .._types import Json
from ..audience import unheard
from ..credentials import find_token
from ..errors import AccountRefused, BatchrunnerError, Exit, ManifestInvalid, Usage
from ..folder.folder import Folder
from ..ledger import Store
from ..money.amounts import PER_USD
from ..progress import display
from ..service import Service
from ..session.consent import Consent
from ..session.invocation import run_order
from ..session.order import Order
from ..session.outcome import Report
from ..session.places import Places, PlacesAsked
from ..session.preparing import plan_only, plan_together
from ..settings import OnInterrupt, OnUnknown, PollSpacing, Rerun, Selection, Settings
from .again import command_again
from .connection import connection_options, named_service
from .end_screen import summary_words, terminal_width
from .finish import run_hook
from .manifests import check, named_manifest, named_schemas
from .notify import open_notices, send_notices
from .options import folder_argument, manifest_argument, manifest_options, option, run_options
from .words import ask, on_terminal, plan_words, say, say_error

CONFIRM_ABOVE_MICROS: Final = 20 * PER_USD

output_option = option(
    "-o", "--output", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="The output folder: ledger, films, results.",
)  # fmt: skip


@click.command()
@manifest_argument
@output_option
@manifest_options
@run_options
@connection_options
@option("--dry-run", is_flag=True, help="Only say what would be done, like `plan`.")
def run(manifest: str, folder: Path, dry_run: bool, **flags: Any) -> int:
    """Run MANIFEST; run the same command again after any interruption and it goes on where it was."""
    command = _plan if dry_run else _run
    return command(manifest, folder, flags)


@click.command()
@manifest_argument
@output_option
@manifest_options
@run_options
@connection_options
def plan(manifest: str, folder: Path, **flags: Any) -> int:
    """Say what a run of MANIFEST would submit, collect and skip, and why; nothing is sent or written."""
    return _plan(manifest, folder, flags)


@click.command()
@folder_argument
@run_options
@connection_options
def resume(folder: Path, **flags: Any) -> int:
    """Go on with the folder DIR without its manifest: the ledger holds the inputs."""
    return _run(None, folder, {**flags, "model": None, "schemas": (), "input_format": None})


def _run(manifest: str | None, path: Path, flags: dict[str, Any]) -> int:
    folder = _named_folder(path, flags)
    notices = open_notices(flags["notify"])

    def finish(summary: dict[str, Json]) -> None:
        """Tell whoever wants to know; that it failed is said, and changes nothing."""
        troubles = [
            send_notices(notices, folder.path, summary) if notices else None,
            _hook_trouble(folder.path, flags, summary),
        ]
        for trouble in filter(None, troubles):
            say(trouble)

    try:
        report = _ran(manifest, folder, flags)
    except BatchrunnerError as error:
        finish({"exit_code": int(error.exit_code), "states": {}, "reason": error.message})
        raise
    finish(report.as_json())
    return int(report.exit_code)


def _named_folder(path: Path, flags: dict[str, Any]) -> Folder:
    """Return the folder the run works in: DIR, or that of the shard of it that was named.  Raises Usage."""
    folder, shard = Folder(path), flags["shard"]
    if shard is None or shard == folder.shard:
        return folder
    if folder.shard is not None:
        raise Usage(
            f"{path} is the folder of shard {folder.shard}, not of {shard}",
            hint=f"name the whole folder, {folder.whole.path}",
        )
    return folder.of_shard(shard)


def _hook_trouble(path: Path, flags: dict[str, Any], summary: dict[str, Json]) -> str | None:
    """Do what ``--on-finish`` asks for; return what went wrong with it."""
    if not flags["on_finish"]:
        return None
    token = ""
    with suppress(AccountRefused):
        token = find_token()
    return run_hook(flags["on_finish"], token=token, folder=path, summary=summary)


def _ran(manifest: str | None, folder: Folder, flags: dict[str, Any]) -> Report:
    if manifest is None and flags["engine"] is None:
        folder.require_ledger()
    as_json = flags["as_json"]
    try:
        service = named_service(folder, flags)
    except AccountRefused as error:
        _name_problems_too(manifest, folder, flags)
        raise _told(error, as_json=as_json) from None
    with display(
        flags["progress"], as_json=as_json, quiet=flags["quiet"], verbose=flags["verbose"]
    ) as listener:
        try:
            order = _order(
                manifest, folder, service, flags, listener=listener, handle_signals=True, takes_commands=True
            )
            report = _engine(flags)(order)
        except BatchrunnerError as error:
            raise _told(error, as_json=as_json) from None
    if not flags["quiet"] or report.exit_code is not Exit.OK:
        say(summary_words(report, folder=str(folder.path), again=command_again(), width=terminal_width()))
    return report


def _engine(flags: dict[str, Any]) -> Callable[[Order], Report]:
    """Return what runs an order: this process, or a cluster of others."""
    if flags["engine"] is None:
        return lambda order: event_loop.run(run_order, order)
    if flags["shard"] is not None:
        raise Usage("--shard runs one shard, --engine dask all of them", hint="leave one of them out")
    from ..engine import Wishes, run_together

    wishes = Wishes(scheduler=flags["scheduler"], workers=flags["workers"], shards=flags["shards"])
    return lambda order: run_together(order, wishes)


def _plan(manifest: str, path: Path, flags: dict[str, Any]) -> int:
    folder = _named_folder(path, flags)
    service = named_service(folder, flags, token_needed=False)
    order = _order(manifest, folder, service, flags, only_planned=True)
    if flags["engine"] is None:
        found = anyio.run(plan_only, order)
    else:  # of all shards, whichever have begun; nobody is asked about what is only told
        found = anyio.run(plan_together, replace(order, consent=Consent(), confirm=lambda question: True))
    click.echo(json.dumps(found.as_json()) if flags["as_json"] else plan_words(found))
    return int(Exit.OK)


def _order(
    manifest: str | None,
    folder: Folder,
    service: Service,
    flags: dict[str, Any],
    *,
    only_planned: bool = False,
    **more: Any,
) -> Order:
    schemas = named_schemas(flags, service, anew=not only_planned)
    return Order(
        folder=folder,
        manifest=None if manifest is None else named_manifest(manifest, flags, schemas),
        schemas=schemas,
        check_images=flags["check_images"],
        places=_places(flags),
        settings=_settings(flags),
        rerun=Rerun(retry=frozenset(flags["retry"]), redo=flags["redo"]),
        service=service,
        confirm=(lambda question: True) if flags["yes"] else ask,
        consent=_consent(flags, service),
        **more,
    )


def _consent(flags: dict[str, Any], service: Service) -> Consent:
    """Return when to ask about the price: as it was asked for; else on a terminal, if anything is billed."""
    above = flags["confirm_above"]
    if flags["yes"] or (above is None and service.simulate):
        return Consent()
    if above is not None:
        return Consent(above_micros=above, given=ask)
    return Consent(above_micros=CONFIRM_ABOVE_MICROS, given=ask if on_terminal() else _told_of)


def _told_of(question: str) -> bool:
    """Nobody is there to be asked: say it, and go on."""
    say(f"{question} (--confirm-above stops such runs, --max-cost caps them)")
    return True


def _settings(flags: dict[str, Any]) -> Settings:
    return Settings(
        concurrency=flags["concurrency"],
        downloads=flags["downloads"],
        poll_interval_s=flags["poll_interval"],
        poll_spacing=PollSpacing(flags["poll_spacing"]),
        poll_rate=flags["poll_rate"],
        max_attempts=flags["max_attempts"],
        job_timeout_s=flags["job_timeout"],
        max_outage_s=flags["max_outage"],
        limit=flags["limit"],
        until=flags["until"],
        on_unknown=OnUnknown(flags["on_unknown"]),
        on_interrupt=OnInterrupt(flags["on_interrupt"]),
        halt_on_failures=flags["halt_on_failures"],
        name=flags["name"],
        submit_only=flags["submit_only"],
        collect_only=flags["collect_only"],
        max_cost_micros=flags["max_cost"],
        price_micros=flags["price"],
        selection=Selection(only=flags["only"], sample=flags["sample"]),
    )


def _name_problems_too(manifest: str | None, folder: Folder, flags: dict[str, Any]) -> None:
    """Without a token nothing can run; still, name the manifest's problems in the same pass."""
    if manifest is None or manifest == "-":
        return
    try:
        service = named_service(folder, flags, token_needed=False)
        named = named_manifest(manifest, flags, named_schemas(flags, service))
        if folder.has_ledger():
            with closing(Store.read_only(folder.ledger)) as store:  # it may remember a stage
                Places.settle(store, _places(flags), folder, named)
        check(named)
    except ManifestInvalid as error:
        say_error(error)


def _places(flags: dict[str, Any]) -> PlacesAsked:
    return PlacesAsked(stage=flags["stage"], store=flags["store"], keep_local=flags["keep_local"])


def _told(error: BatchrunnerError, *, as_json: bool) -> BatchrunnerError:
    """With ``--json`` the stream ends in a summary also where no run began."""
    if as_json:
        problems = [problem.as_json() for problem in getattr(error, "problems", ())]
        last = {"event": "summary", "exit_code": int(error.exit_code), "states": {}, "cost_usd": None,
                "reason": error.message, "problems": problems}  # fmt: skip
        with unheard(sys.stdout):
            click.echo(json.dumps(last))
    return error
