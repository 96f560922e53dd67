"""What a worker does with one shard: an ordinary run of it, told in values that travel between machines.

The token does not travel: a worker finds its own, in its environment or in the token file of its machine.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec import Struct

from .. import __version__, event_loop
from ..client import Timeouts
from ..credentials import find_token
from ..errors import BatchrunnerError, Exit, FolderTaken
from ..folder.folder import Folder
from ..lookup import Lookup
from ..manifest import NamedManifest
from ..models import Schemas
from ..service import Service
from ..session.invocation import run_order
from ..session.order import Order
from ..session.places import PlacesAsked
from ..settings import Rerun, Settings
from ..sharding import Shard
from .stop_word import listen_for_word, read_word


class ShardTask(Struct, frozen=True, kw_only=True):
    """One shard to run; every path is absolute, in a file system that all workers share."""

    version: str = __version__
    session: str
    whole: Path
    shard: Shard
    at_once: int
    """Shards that run at the same time, and share what may be in flight."""
    source: str | None
    input_format: str | None
    model: str | None
    schemas: tuple[Path, ...]
    settings: Settings
    rerun: Rerun
    places: PlacesAsked
    base_url: str
    simulate: bool
    timeouts: Timeouts


class Ended(Struct, frozen=True, kw_only=True):
    """How a shard's run ended."""

    shard: Shard
    exit_code: Exit
    reason: str = ""
    hint: str | None = None
    is_taken: bool = False
    """Somebody else owns it at the moment."""
    seconds: float = 0.0


def run_shard(task: ShardTask) -> Ended:
    """Run one shard to its end; what keeps it from beginning is told, not raised."""
    end = partial(Ended, shard=task.shard)
    if task.version != __version__:
        return end(
            exit_code=Exit.USAGE,
            reason=f"this worker has batchrunner {__version__}, not {task.version}",
            hint="install the same version everywhere",
        )
    if read_word(task.whole, task.session):
        return end(exit_code=Exit.OPEN, reason="stopped before it began")
    try:
        report = event_loop.run(run_order, _order(task))
    except FolderTaken as taken:
        return end(exit_code=taken.exit_code, reason=taken.message, hint=taken.hint, is_taken=True)
    except BatchrunnerError as error:
        return end(exit_code=error.exit_code, reason=error.message, hint=error.hint)
    return end(exit_code=report.exit_code, reason=report.reason, hint=report.hint, seconds=report.seconds)


def _order(task: ShardTask) -> Order:
    token = "" if task.simulate else find_token()
    service = Service(base_url=task.base_url, token=token, simulate=task.simulate, timeouts=task.timeouts)
    schemas = Schemas(task.schemas, Lookup(service=service, refresh=True).schema)
    manifest = None
    if task.source is not None:
        manifest = NamedManifest(
            source=task.source, input_format=task.input_format, model=task.model, schemas=schemas
        )
    return Order(
        folder=Folder(task.whole).of_shard(task.shard),
        manifest=manifest,
        schemas=schemas,
        settings=task.settings,
        rerun=task.rerun,
        places=task.places,
        service=service,
        confirm=lambda question: True,  # asked once, of the whole batch
        takes_commands=True,
        shards_at_once=task.at_once,
        beside=partial(listen_for_word, whole=task.whole, session=task.session),
    )
