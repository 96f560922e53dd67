"""Which service the flags name, and how long it is given to answer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click
from click.core import ParameterSource

from ..client import PRODUCTION, Timeouts
from ..credentials import find_token
from ..errors import AccountRefused, Usage
from ..folder.folder import Folder
from ..hosts import is_local_origin, origin_of
from ..ledger import Store
from ..service import SIMULATED_ORIGIN, Service
from .options import Duration, option, together

connection_options = together(
    option("--simulate", is_flag=True, help="Rehearse on the built-in simulator: no account, no money."),
    click.option("--base-url", envvar=["BATCHRUNNER_BASE_URL", "RUNCOMFY_BASE_URL"], metavar="URL",
                 help="Another address of the service."),
    option("--http-timeout", type=Duration(),
           help="Silence, in a download also less than 1,000 bytes a second, after which a call is given up"
                "  [default: POST 90s, GET 20s, download 60s]"),
)  # fmt: skip


def named_service(folder: Folder | None, flags: Mapping[str, Any], *, token_needed: bool = True) -> Service:
    """Return the service the flags name; a folder that rehearses goes on rehearsing.

    Raises AccountRefused when there is no token and one is needed.
    """
    if flags["simulate"] and flags["base_url"] and typed("base_url"):
        raise Usage("--simulate and --base-url exclude each other", hint="leave one of them out")
    timeout_s = flags["http_timeout"]
    if timeout_s is not None and timeout_s <= 0:
        raise Usage("--http-timeout must be more than 0", hint="such as --http-timeout 60s")
    timeouts = Timeouts() if timeout_s is None else Timeouts.all(timeout_s)
    recorded = None if flags["base_url"] or folder is None else _recorded_origin(folder)
    if flags["simulate"] or recorded == SIMULATED_ORIGIN:
        return Service(simulate=True, timeouts=timeouts)
    # A folder may come from anywhere: only an address on this machine is taken from it.
    here = recorded if recorded is not None and is_local_origin(recorded) else None
    base_url = _checked(flags["base_url"] or here or PRODUCTION)
    return Service(base_url=base_url, token=_token(needed=token_needed), timeouts=timeouts)


def _token(*, needed: bool) -> str:
    try:
        return find_token()
    except AccountRefused:
        if needed:
            raise
        return ""


def _checked(base_url: str) -> str:
    try:
        origin_of(base_url)
    except ValueError as error:
        raise Usage(f"--base-url: {error}", hint="such as https://model-api.runcomfy.net") from error
    return base_url


def typed(name: str) -> bool:
    """Return whether a flag was typed, not taken from the environment."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _recorded_origin(folder: Folder) -> str | None:
    for part in folder.parts():
        if part.has_ledger():
            with closing(Store.read_only(part.ledger)) as store:
                return store.fact("origin")
    return None
