"""``python -m tests.sharding.mortal FOLDER``: merge copies of FOLDER, each killed a step later than the last.

A step is whatever Python reports to an audit hook before it happens: a file opened to be written, renamed or
removed, a new folder, an opened ledger.  Each copy is then merged without being killed.  Prints, as one JSON
list, what could be run in each copy right after its kill: "shards", "whole" or "neither".
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from batchrunner.errors import BatchrunnerError
from batchrunner.folder.folder import Folder
from batchrunner.merging import merge

STEPS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "sqlite3.connect"}


def main(given: Path) -> None:
    merge_undisturbed(given)
    found = []
    for nth in count(1):
        copy = given.with_name(f"killed-{nth}")
        shutil.copytree(given, copy)
        child = os.fork()
        if child == 0:
            die_at(nth, copy)
            merge(Folder(copy))
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        found.append(runnable(copy))
        merge(Folder(copy))
    shutil.rmtree(copy)
    print(json.dumps(found))  # noqa: T201


def merge_undisturbed(given: Path) -> None:
    """Merge a copy here: from then on everything is imported, and no step is an import's."""
    shutil.copytree(given, given.with_name("undisturbed"))
    merge(Folder(given.with_name("undisturbed")))


def die_at(nth: int, folder: Path) -> None:
    steps = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal steps
        only_read = event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR)
        if event in STEPS and not only_read and str(folder) in str(args[0]):
            steps += 1
            if steps == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def runnable(folder: Path) -> str:
    """Return which ledgers may be written now."""
    shards, whole = (_is_usable(Folder(path)) for path in (folder / "shards" / "01-of-02", folder))
    return {(True, False): "shards", (False, True): "whole", (False, False): "neither"}[shards, whole]


def _is_usable(folder: Folder) -> bool:
    try:
        folder.check_usable()
    except BatchrunnerError:
        return False
    return folder.has_ledger()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
