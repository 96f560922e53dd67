"""A ledger with a damaged page: named, kept aside, and never taken for a reason to pay again."""

from __future__ import annotations

import shutil

from .books import read_books
from .lives import Batch
from .roads import JOBS, copy_of

PAGE = 4096
DISK = 74


def test_whichever_page_is_damaged_verify_says_so_and_keeps_a_copy(batch: Batch) -> None:
    batch.write(*JOBS)
    assert batch.run().code == 0
    pages = (batch.folder / "ledger.sqlite").stat().st_size // PAGE

    for page in range(1, pages):
        damaged = _damaged(batch, page)
        life = damaged.live("verify", damaged.folder)

        assert life.code == DISK, (page, life)
        assert "damaged" in life.err
        (copy,) = damaged.folder.glob("ledger.sqlite.damaged-*")
        assert copy.read_bytes() == (damaged.folder / "ledger.sqlite").read_bytes()


def test_whichever_page_is_damaged_a_run_pays_for_nothing_again(batch: Batch) -> None:
    batch.write(*JOBS)
    assert batch.run().code == 0
    pages = (batch.folder / "ledger.sqlite").stat().st_size // PAGE

    for page in range(1, pages):
        damaged = _damaged(batch, page)
        damaged.run()

        shutil.rmtree(damaged.folder)  # its own books are no witness any more
        assert set(read_books(damaged).paid.values()) == {1}, page


def _damaged(batch: Batch, page: int) -> Batch:
    """Return a copy of the batch whose ledger has one page of rubbish."""
    copy = copy_of(batch, f"page-{page}")
    with (copy.folder / "ledger.sqlite").open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\x5a" * PAGE)
    return copy
