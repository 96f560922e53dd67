"""The command ``python -m benchmarks``: run some benchmarks, or all, and print one table at the end."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from compileall import compile_dir
from pathlib import Path
from typing import Final

from .crowd import crowd
from .downloads import downloads
from .durability import durability
from .engine import engine
from .figures import Finding, table
from .intake import intake
from .makespan import makespan
from .polling import polling
from .processes import ROOT, ChildFailed
from .requests import requests
from .scale import FULL, QUICK, USUAL, Scale
from .shards import shards
from .startup import startup
from .validation import validation

BENCHMARKS: Final[dict[str, Callable[[Scale, Path], Sequence[Finding]]]] = {
    "makespan": makespan,
    "requests": requests,
    "downloads": downloads,
    "crowd": crowd,
    "validation": validation,
    "durability": durability,
    "startup": startup,
    "intake": intake,
    "polling": polling,
    "shards": shards,
    "engine": engine,
}


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    compile_dir(ROOT / "batchrunner", quiet=2)  # as installed programs are: the first run is one like others
    scale = QUICK if options.quick else FULL if options.full else USUAL
    try:
        rounds = [_round(options.names or list(BENCHMARKS), scale) for _ in range(options.repeat)]
    except ChildFailed as error:
        sys.exit(f"benchmarks: {error}")
    print(table(rounds, judged=scale is not QUICK))


def _round(names: list[str], scale: Scale) -> list[Finding]:
    """Run each benchmark once, in a folder of its own that goes with it."""
    figures: list[Finding] = []
    for name in names:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="batchrunner-bench-") as folder:
            figures += BENCHMARKS[name](scale, Path(folder))
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and print one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="next to no work: does each still run?")
    size.add_argument("--full", action="store_true", help="manifests of a million rows")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="rounds; the table shows medians")
    return parser


if __name__ == "__main__":
    main()
