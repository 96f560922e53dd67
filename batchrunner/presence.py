"""Are the files of earlier runs still there?  At a glance, however many they are.

One scan of each folder against the names in the ledger: the hashes of all names, summed, agree (64 bits,
keyed anew in each process) or somebody has to look closer.  A sum needs no memory, and a million `stat` take
seconds.  Files that only changed are for `verify` to find; where there are few, the look that compares sizes
as well costs nothing, so nothing is said about them here.
"""

from __future__ import annotations

import os
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
    return all(store.saved_names_hash(name) == _names_hash(folder / name) for name in FOLDER_OF_KIND.values())


def _names_hash(folder: str | Path, prefix: str = "") -> int:
    """Return the sum of the hashes of all files below *folder*, called by their paths from there on.

    What the system puts there itself (.DS_Store) has a leading dot.
    """
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
    except FileNotFoundError:
        return 0
    ours = [name for name in files if name[0] != "."]
    below = [name for name in folders if name[0] != "."]
    return sum(map(hash, map(prefix.__add__, ours))) + sum(
        _names_hash(f"{folder}/{name}", f"{prefix}{name}/") for name in below
    )
