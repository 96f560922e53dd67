"""Runs in virtual time, and batches with a fake service, as their own rooms have them."""

from __future__ import annotations

from tests.cli.conftest import batch, fake
from tests.pool.conftest import anyio_backend

__all__ = ["anyio_backend", "batch", "fake"]
