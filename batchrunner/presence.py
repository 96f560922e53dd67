"""Are the files of earlier runs still there?  At a glance, however many they are.

One scan of each folder against the names in the ledger: the hashes of all names, summed, agree (64 bits,
keyed anew in each process) or somebody has to look closer.  A sum needs no memory, and a million `stat` take
seconds.  Files that only changed are for `verify` to find; where there are few, the look that compares sizes
as well costs nothing, so nothing is said about them here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from .ledger import Store
from .ledger.files import FOLDER_OF_KIND

FEW: Final = 20_000
"""So many files are looked at one by one in a tenth of a second."""


def all_there(folder: Path, store: Store) -> bool:
    """Return True when certainly no saved file is missing in *folder*; False says nothing."""
    if not store.has_saved_more_than(FEW):
        return False
    return all(
        _summed(store.saved_names(name)) == _summed(_names_in(folder / name))
        for name in FOLDER_OF_KIND.values()
    )


def _summed(names: Iterable[str]) -> int:
    return sum(map(hash, names))


def _names_in(folder: str | Path, prefix: str = "") -> Iterator[str]:
    """Yield the files below *folder*, as paths from there on.

    What the system puts there itself (.DS_Store) has a leading dot.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _names_in(entry.path, f"{prefix}{entry.name}/")
                else:
                    yield f"{prefix}{entry.name}"
    except FileNotFoundError:
        return
