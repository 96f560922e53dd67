"""Are the files of earlier runs still there?  At a glance, however many they are.

One scan of each folder against the names in the ledger: the hashes of all names, summed, agree (64 bits,
keyed anew in each process) or somebody has to look closer.  A sum needs no memory, and a million `stat` take
seconds.  Files that only changed are for `verify` to find; where there are few, the look that compares sizes
as well costs nothing, so nothing is said about them here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor(1, thread_name_prefix="presence") as beside:
        found = beside.submit(_by_folder, folder)  # the system's work and SQLite's need no interpreter
        expected = {name: store.saved_names_hash(name) for name in FOLDER_OF_KIND.values()}
    return expected == found.result() or expected == _by_folder(folder, closely=True)


def size_of(folder: str, file: str) -> int | None:
    """Return how many bytes a file of *folder* has; None for one that is not there."""
    try:
        return os.stat(f"{folder}/{file}").st_size  # noqa: PTH116 (a million of them: no Path for each)
    except OSError:
        return None


def _by_folder(folder: Path, *, closely: bool = False) -> dict[str, int]:
    return {
        name: _names_hash(f"{folder}/{name}", f"{name}/", closely=closely) for name in FOLDER_OF_KIND.values()
    }


def _names_hash(folder: str, prefix: str, *, closely: bool) -> int:
    """Return the sum of the hashes of all files below *folder*, each called *prefix* and its path from there.

    What the system puts there itself (.DS_Store) has a leading dot.  Only if asked to look *closely* does it
    find a folder with an extension, as files have one.
    """
    try:
        names = _ours(os.listdir(folder))  # noqa: PTH208 (a million of them: no Path for each)
        if closely:
            with os.scandir(folder) as entries:
                folders = _ours(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        else:
            folders = [name for name in names if "." not in name and os.path.isdir(f"{folder}/{name}")]  # noqa: PTH112
    except FileNotFoundError:
        return 0
    if folders:
        names = list({*names}.difference(folders))
    return sum(map(hash, map(prefix.__add__, names))) + sum(
        _names_hash(f"{folder}/{name}", f"{prefix}{name}/", closely=closely) for name in folders
    )


def _ours(names: Iterable[str]) -> list[str]:
    return [name for name in names if name[0] != "."]
