"""What a process that forks commands has loaded before, so that no command loads it again.

Most of it is what commands load late, when they come to need it: half of the CPU time of a small run.  That
it is found then is for the tests that start an interpreter of their own.
"""

from __future__ import annotations

import gc
import importlib
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from batchrunner.causes import Address
from batchrunner.ledger import Store
from batchrunner.outputs.report import write_report

LATE = (
    "anyio._backends._asyncio", "anyio._core._signals", "encodings.idna", "encodings.unicode_escape",
    "batchrunner.wire", "batchrunner.wire.through_httpx", "batchrunner.manifest.yaml_reader",
    "batchrunner.containers.whole", "batchrunner.models.explainer", "batchrunner.simulator.opening",
    "batchrunner.simulator.in_process",
)  # fmt: skip


def warm_up() -> None:
    """Load what is loaded late, fill the report's caches, and keep the garbage collector away from it all.

    It would otherwise touch, and so copy, every page that a child shares with us.
    """
    for name in LATE:
        importlib.import_module(name)
    with TemporaryDirectory() as folder, closing(Store.in_memory()) as store:
        write_report(store, Path(folder, "report.html"), Address(folder=Path(folder)))
    gc.collect()
    gc.freeze()
