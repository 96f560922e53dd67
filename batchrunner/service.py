"""Which service a run talks to: the real one, one at another address, or the simulator in this process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct, field

from .catalogue import Shelf, shelf_of
from .client import PRODUCTION, Client, Timeouts
from .errors import FolderUnusable
from .folder.folder import Folder
from .hosts import is_local_origin, origin_of
from .ledger import Store

SIMULATED_ORIGIN: Final = "https://simulator.invalid"
SIMULATED_TOKEN: Final = "rehearsal-0000"  # noqa: S105 (it opens nothing)
"""No word that a text could hold: tokens are struck out of what the service says."""


class Service(Struct, frozen=True, kw_only=True):
    """Where submissions go."""

    base_url: str = PRODUCTION
    token: str = ""
    simulate: bool = False
    """Rehearse on the simulator in this process: no account, no money."""
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def origin(self) -> str:
        """The service's address as the folder records it: its origin, and a path where it has one."""
        if self.simulate:
            return SIMULATED_ORIGIN
        return origin_of(self.base_url) + urlsplit(self.base_url).path.rstrip("/")

    @property
    def catalogue(self) -> Shelf:
        """Where this service's catalogue is remembered; the built-in simulator's is always at hand."""
        return Shelf(None) if self.simulate else shelf_of(self.origin)

    @property
    def can_be_asked(self) -> bool:
        """Whether there is a token, or none is needed."""
        return self.simulate or bool(self.token)

    @asynccontextmanager
    async def without_token(self) -> AsyncIterator[Client]:
        """Give a client that fetches files of the outside as anybody could, also in a rehearsal."""
        base_url = PRODUCTION if self.simulate else self.base_url
        async with Client(base_url, "", timeouts=self.timeouts) as client:
            yield client

    @asynccontextmanager
    async def connected(self, folder: Folder | None) -> AsyncIterator[Client]:
        """Give a client for as long as the block lasts; a rehearsal's service remembers in *folder*."""
        if not self.simulate:
            async with Client(self.base_url, self.token, timeouts=self.timeouts) as client:
                yield client
            return
        from . import simulator  # a rehearsal's only: most runs never load it

        stand_in = simulator.open_simulator(state=folder.simulator if folder else None)
        try:
            transport = simulator.transport(stand_in, time.time)
            async with Client(
                SIMULATED_ORIGIN, SIMULATED_TOKEN, timeouts=self.timeouts, transport=transport
            ) as client:
                yield client
        finally:
            stand_in.close()


def check_origin(store: Store, service: Service) -> None:
    """Raise FolderUnusable when the folder's requests are at another service."""
    origin = store.fact("origin")
    if origin in (None, service.origin):
        return
    theirs = "the simulator" if origin == SIMULATED_ORIGIN else origin
    ours = "the simulator" if service.simulate else service.origin
    hint = "a rehearsal stays one for ever: name it with --simulate"
    if origin != SIMULATED_ORIGIN:
        hint = f"go on there with --base-url {origin}"
    raise FolderUnusable(
        f"this folder belongs to {theirs}, not to {ours}: its requests cannot be collected there",
        hint=f"{hint}, or choose another folder",
    )


def base_url_to_name(store: Store) -> str | None:
    """Return the address a command on this folder has to name; None where the folder leads there itself."""
    origin = store.fact("origin")
    if origin in (None, PRODUCTION, SIMULATED_ORIGIN) or is_local_origin(origin):
        return None
    return origin


def record_origin(store: Store, service: Service) -> None:
    """Tie the folder to its service, before the first submission."""
    store.set_fact("origin", service.origin)
    rehearses = service.simulate or store.fact("simulated") == "1"  # once a rehearsal, always one
    store.set_fact("simulated", "1" if rehearses else "0")
