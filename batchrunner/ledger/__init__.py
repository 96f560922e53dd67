"""The durable truth about every job: its state, its attempts, its artifacts."""

from .failures import read_failures
from .moves import StaleWrite
from .queries import Artifact, Entry
from .store import AlreadyOwned, OverCap, Store
from .writer import LedgerWriter

__all__ = [
    "AlreadyOwned",
    "Artifact",
    "Entry",
    "LedgerWriter",
    "OverCap",
    "StaleWrite",
    "Store",
    "read_failures",
]
