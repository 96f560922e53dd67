"""What does one invocation ask for, and what is a shard's part of it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct, field
from msgspec.structs import replace

from ..errors import Usage
from ..events import Listener, RunEvent
from ..folder.folder import Folder
from ..manifest.named import NamedManifest
from ..models import Schemas
from ..service import Service
from ..settings import Rerun, Settings
from .consent import Consent
from .places import PlacesAsked

if TYPE_CHECKING:
    from ..pool import Context


class Order(Struct, frozen=True, kw_only=True):
    """What one invocation asks for."""

    folder: Folder
    manifest: NamedManifest | None
    """None goes on from the ledger alone."""
    settings: Settings = field(default_factory=Settings)
    rerun: Rerun = field(default_factory=Rerun)
    service: Service = field(default_factory=Service)
    confirm: Callable[[str], bool] = lambda question: False
    """Asked before an edit redoes many paid jobs; says whether to go on."""
    listener: Listener = lambda event: None
    handle_signals: bool = False
    places: PlacesAsked = field(default_factory=PlacesAsked)
    """Where local images are sent from, and where films are put."""
    check_images: bool = False
    """Look at every image of the jobs to submit before anything is sent."""
    consent: Consent = field(default_factory=Consent)
    takes_commands: bool = False
    """Whether `ctl` may change the run while it works."""
    shards_at_once: int | None = None
    """How many shards run at the same time and share what may be in flight; None: all of them."""
    beside: Callable[[Context], Coroutine[Any, Any, None]] | None = None
    """Goes on beside the pool until its end, and may stop it."""
    schemas: Schemas = field(default_factory=Schemas)
    """Say how a job's units are counted where the catalogue's own schema does not."""

    def warn(self, words: str) -> None:
        """Tell something before the run has begun."""
        self.listener(RunEvent(name="warning", at=time.time(), data={"message": words}))

    def of_its_shard(self) -> Self:
        """Return the order with the shard's part of what is the whole batch's; in other folders itself.

        Raises Usage for what cannot be divided.
        """
        shard = self.folder.shard
        if shard is None:
            return self
        if self.manifest is None and self.settings.selection.sample is not None:
            raise Usage(
                "--sample draws from the whole manifest, and a shard's ledger holds a part of it",
                hint="name the manifest: `batchrunner run` goes on where the folder is",
            )
        settings, above = (
            shard.settings(self.settings, at_once=self.shards_at_once),
            self.consent.above_micros,
        )
        consent = self.consent if above is None else replace(self.consent, above_micros=shard.share(above))
        return replace(self, settings=settings, consent=consent)
