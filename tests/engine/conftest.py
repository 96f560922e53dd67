"""A fake service, a batch on it, and commands in this process."""

from __future__ import annotations

from tests.cli.conftest import batch, fake, here

__all__ = ["batch", "fake", "here"]
