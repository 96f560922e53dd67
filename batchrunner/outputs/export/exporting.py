"""Which jobs go where, in which format, and what must not be written over?

A file takes the place of an older one whole; a folder is made beside its place and moved there when it is
complete, and only where there is nothing yet.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from ...errors import Usage
from ...files.disk import disk_errors_named, make_folder, sync_folder
from ...folder.folder import LEDGER, RESULTS, Folder
from ...folder.reading import reading
from ...ledger import Store
from ...sharding import SHARDS
from ...shards import ASIDE
from .subject import Exported, Options


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    WEBDATASET = "webdataset"
    HF = "hf"


FOLDERS: Final = frozenset({Format.WEBDATASET, Format.HF})
"""Formats that are a folder of files."""

RUNS_OWN: Final = frozenset({LEDGER, "batchrunner.lock", "README.md", "report.html", SHARDS, ASIDE, *RESULTS})
"""What a run writes itself, at the top of its folder: nothing of it is an export's to replace."""


Write = Callable[[Store, Path, Path, Options], Exported]


def export(folder: Folder, form: Format, to: Path, options: Options) -> Exported:
    """Write the jobs of *folder* to *to* and return how many.  Takes no lock.

    Raises Usage for a place that cannot be taken or a library that is missing, FolderUnusable when a film is
    not where the ledger has it, DiskTrouble for the disk's.
    """
    with disk_errors_named(), reading(folder, settled=form is Format.HF) as store:
        _check_place(folder, form, to)
        write = _writer(form)
        store.connection.execute("BEGIN")  # one state of the ledger from the first row to the last
        if form not in FOLDERS:
            return write(store, folder.path, to, options)
        with _placed(to) as part:
            return write(store, folder.path, part, options)


def _writer(form: Format) -> Write:
    """Return the format's writer; its libraries are imported with it."""
    match form:
        case Format.CSV:
            from .csv_file import write_csv as write
        case Format.JSONL:
            from .jsonl_file import write_jsonl as write
        case Format.PARQUET:
            from .parquet_file import write_parquet as write
        case Format.WEBDATASET:
            from .tar_shards import write_shards as write
        case Format.HF:
            from .hf_folder import write_folder as write
    return write


def _check_place(folder: Folder, form: Format, to: Path) -> None:
    """Raise Usage when *to* is taken by something that is not an export's to replace."""
    place, inside = to.resolve(), folder.path.resolve()
    own = place.relative_to(inside).parts if place.is_relative_to(inside) else None
    if own is not None and (not own or own[0] in RUNS_OWN or own[0].startswith(f"{LEDGER}-")):
        raise Usage(f"--to {to} is a place of the run's own", hint="name a file or folder of its own")
    if not place.parent.is_dir():
        raise Usage(f"--to {to}: there is no folder {to.parent}", hint="make it, or name another place")
    if form not in FOLDERS:
        if place.is_dir():
            raise Usage(f"--to {to} is a folder; {form} is one file", hint=f"such as {to / f'jobs.{form}'}")
        return
    if place.exists() and not place.is_dir():
        raise Usage(f"--to {to} is a file; {form} is a folder of files", hint="name a folder")
    if place.is_dir() and any(place.iterdir()):
        raise Usage(f"--to {to} is not empty", hint="name a new folder: an export never writes over files")


@contextmanager
def _placed(to: Path) -> Iterator[Path]:
    """Give a folder to fill; it stands under *to* when the block ends well, and is gone when it does not."""
    part = to.with_name(f".{to.name}.part-{os.getpid()}")
    make_folder(part)
    try:
        yield part
        if to.is_dir():
            to.rmdir()
        part.rename(to)
        sync_folder(to.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
