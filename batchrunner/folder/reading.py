"""A folder's ledger to read, whatever a run does with it meanwhile; one in shards reads like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ..ledger import Store
from ..ledger.connections import has_log_format
from ..ledger.folding import fold, settle_names
from ..sharding import SHARDS
from ..shards import is_merging, unfinished_merge
from .folder import Folder


@contextmanager
def reading(folder: Folder, *, settled: bool = False) -> Iterator[Store]:
    """Give the folder's ledger; of shards a scratch copy in which they are one, files named from *folder*.

    With *settled* their files are called as after a merge; `source_of` says where one stands.

    Raises ManifestMissing when there is no ledger, FolderUnusable when one cannot be read.
    """
    with closing(_opened(folder)) as store:
        if settled and folder.shards():
            settle_names(store)
        yield store


def _opened(folder: Folder) -> Store:
    if folder.has_ledger() or not (parts := folder.shards()):
        folder.require_ledger()
        if has_log_format(folder.ledger):
            return Store.read_only(folder.ledger)
        return Store.copy_of(folder.ledger)  # no commit of a run waits for a page that is being written
    if is_merging(folder.path):
        raise unfinished_merge(folder.path)
    return folded(parts)


def folded(parts: list[Folder]) -> Store:
    """Return a scratch ledger of all that the shards *parts* hold."""
    store = Store.scratch()
    try:
        for part in parts:
            fold(store, part.ledger, f"{SHARDS}/{part.path.name}")
    except BaseException:
        store.close()
        raise
    return store
