"""A batch and the fake service it runs against, as the tests of the command line have them."""

from __future__ import annotations

from tests.cli.conftest import batch, fake

__all__ = ["batch", "fake"]
