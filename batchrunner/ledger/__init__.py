"""The durable truth about every job: its state, its attempts, its artifacts."""

from .store import AlreadyOwned, Artifact, Entry, StaleWrite, Store
from .writer import LedgerWriter

__all__ = ["AlreadyOwned", "Artifact", "Entry", "LedgerWriter", "StaleWrite", "Store"]
