"""Runs manifests of paid media-generation jobs: never pays twice, never loses a paid result."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api import run, run_async
    from .errors import (
        AccountRefused,
        BatchrunnerError,
        DiskTrouble,
        ErrorCode,
        Exit,
        FolderUnusable,
        ManifestInvalid,
        ManifestMissing,
        ServiceAway,
        Usage,
    )
    from .events import RunEvent
    from .lifecycle import State
    from .session.outcome import Report
    from .settings import OnInterrupt, OnUnknown, PollSpacing, Rerun, Selection, Settings

__all__ = [
    "AccountRefused",
    "BatchrunnerError",
    "DiskTrouble",
    "ErrorCode",
    "Exit",
    "FolderUnusable",
    "ManifestInvalid",
    "ManifestMissing",
    "OnInterrupt",
    "OnUnknown",
    "PollSpacing",
    "Report",
    "Rerun",
    "RunEvent",
    "Selection",
    "ServiceAway",
    "Settings",
    "State",
    "Usage",
    "run",
    "run_async",
]

_HOMES = {
    "run": "api",
    "run_async": "api",
    "RunEvent": "events",
    "State": "lifecycle",
    "Report": "session.outcome",
    "OnInterrupt": "settings",
    "OnUnknown": "settings",
    "PollSpacing": "settings",
    "Rerun": "settings",
    "Selection": "settings",
    "Settings": "settings",
}


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Import what is asked for and no more: ``batchrunner --help`` should answer at once."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
