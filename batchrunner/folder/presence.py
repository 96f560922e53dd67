"""Are the files of earlier runs still there?  At a glance, however many they are.

One listing of each folder against the names in the ledger, both in order, thousands in one comparison: a
million `stat` take seconds.  Or somebody has to look closer.  A folder that has not changed since all was
there is not even listed: whoever takes a file out of it changes it.  Files that only changed are for `verify`
to find; where there are few, the look that compares sizes as well costs nothing, so nothing is said about
them here.  Why: docs/decisions/0026-folders-that-have-not-changed.md
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

from ..files.filesystem import is_surely_local
from ..ledger import Store
from ..ledger.files import FOLDER_OF_KIND

FEW: Final = 20_000
"""So many files are looked at one by one in a tenth of a second."""

MOST_FOLDERS: Final = 5_000
"""Beyond that they hold so few files each that a glance at a folder saves nothing."""

RACY_S: Final = 2.0
"""A folder that changed less long ago may change again within the same tick of its file system's clock."""

PRESENCE_FACT: Final = "presence"
"""The folder's fact: which folders held all their files, and what tells whether they have changed."""

Stamp: TypeAlias = "list[int]"
"""What no change leaves as it was: the inode, and the instants of the last writes to the folder and to it."""


def all_there(folder: Path, store: Store) -> bool:
    """Return True when certainly no saved file is missing in *folder*; False says nothing."""
    if not store.has_saved_more_than(FEW):
        return False
    known = _known(store)
    return (
        _Glance(store, folder, known).holds_all() or _Glance(store, folder, known, closely=True).holds_all()
    )


def look_at_folders(
    folder: Path, store: Store, go_on: Callable[[], bool] = lambda: True
) -> Mapping[str, Stamp] | None:
    """Look at the folders that have changed, and return which ones the next run need not list.

    *go_on* may end it.  None where others can take files away: their changes may be seen late.
    """
    if not (store.has_saved_more_than(FEW) and is_surely_local(folder)):
        return None
    glance = _Glance(store, folder, _known(store), go_on=go_on)
    glance.holds_all()
    return glance.stamps


def remember(store: Store, stamps: Mapping[str, Stamp] | None) -> None:
    """Let the next run know."""
    if stamps is not None:
        with store.transaction():
            store.set_fact(PRESENCE_FACT, json.dumps(stamps))


def _known(store: Store) -> Mapping[str, Stamp]:
    known: Mapping[str, Stamp] = json.loads(store.fact(PRESENCE_FACT) or "{}")
    return known


def size_of(folder: str, file: str) -> int | None:
    """Return how many bytes a file of *folder* has; None for one that is not there."""
    try:
        return os.stat(f"{folder}/{file}").st_size  # noqa: PTH116 (a million of them: no Path for each)
    except OSError:
        return None


class _Glance:
    """One look at all folders of films, but those that are *known* and have not changed.

    Only if it looks *closely* does it find a folder with an extension, as files have one.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        known: Mapping[str, Stamp],
        *,
        closely: bool = False,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._root = str(folder)
        self._known = known
        self._closely = closely
        self._go_on = go_on
        self._left = MOST_FOLDERS
        self._inside: dict[str, list[str]] = defaultdict(list)
        for prefix in known:
            self._inside[prefix[: prefix.rfind("/", 0, -1) + 1]].append(prefix)
        self.stamps: dict[str, Stamp] = {}
        """Of the folders that hold all their files, and so do all folders in them."""

    def holds_all(self) -> bool:
        """Return whether every saved file is there."""
        return all(self._folder_holds_all(f"{name}/") for name in FOLDER_OF_KIND.values())

    def _folder_holds_all(self, prefix: str) -> bool:
        """Return whether all saved files whose names begin with *prefix*, a folder's, are there."""
        self._left -= 1
        if self._left < 0 or not self._go_on():
            return False
        looked_at, stamp = time.time(), self._stamp(prefix)
        if stamp is not None and stamp == self._known.get(prefix):
            inner = self._inside[prefix]
        else:
            names, folders = self._listed(f"{self._root}/{prefix}")
            inner = sorted(f"{prefix}{name}/" for name in folders)
            if not _are_all_among(self._expected(prefix, inner), names, prefix):
                return False
        if not all(self._folder_holds_all(name) for name in inner):
            return False
        is_settled = stamp is not None and max(stamp[1:]) < (looked_at - RACY_S) * 1e9
        if stamp is not None and is_settled and all(name in self.stamps for name in inner):
            self.stamps[prefix] = stamp
        return True

    def _expected(self, prefix: str, inner: list[str]) -> Iterator[str]:
        """Yield the names that the ledger has in a folder and not in folders *inner* of it, many in a text.

        Whatever it has between the names of those.
        """
        for low, high in pairwise((prefix, *inner, _end(prefix))):
            yield from self._store.saved_names(low if low == prefix else _end(low), high)

    def _stamp(self, prefix: str) -> Stamp | None:
        try:
            found = os.stat(f"{self._root}/{prefix}")  # noqa: PTH116 (it is text)
        except OSError:
            return None
        return [found.st_ino, found.st_mtime_ns, found.st_ctime_ns]

    def _listed(self, folder: str) -> tuple[list[str], list[str]]:
        """Return the names of all that is in *folder*, and those of folders among them."""
        try:
            names = os.listdir(folder)  # noqa: PTH208 (a million of them: no Path for each)
            if not self._closely:
                return names, [name for name in names if "." not in name and os.path.isdir(folder + name)]  # noqa: PTH112
            with os.scandir(folder) as entries:
                return names, [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return [], []


def _end(prefix: str) -> str:
    """Return what comes behind all names that begin with *prefix*, a folder's."""
    return f"{prefix[:-1]}0"  # "0" comes after "/"


def _are_all_among(expected: Iterator[str], names: list[str], prefix: str) -> bool:
    """Return whether the lines of the texts *expected* are all among *names* with *prefix* before each."""
    names.sort()
    at, every = 0, frozenset[str]()
    for text in expected:
        count = text.count("\n") + 1
        if text != prefix + f"\n{prefix}".join(names[at : at + count]):  # something else is there as well
            every = every or frozenset(map(prefix.__add__, names))
            if not every.issuperset(text.split("\n")):
                return False
        at += count
    return True
