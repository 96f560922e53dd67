"""`batchrunner` under the profiler, counting the CPU time of the event loop's thread.

    python -m benchmarks.programs.profiled_run PROFILE ARGUMENT...

ARGUMENTs are those of `batchrunner`; the profile is written for the standard library's pstats.
"""

from __future__ import annotations

import cProfile
import sys
import time
from contextlib import suppress


def main(profile: str, *arguments: str) -> None:
    sys.argv = ["batchrunner", *arguments]
    profiler = cProfile.Profile(time.thread_time)
    with profiler, suppress(SystemExit):
        from batchrunner.cli import main as command  # its imports are part of what a run costs

        command()
    profiler.dump_stats(profile)


if __name__ == "__main__":
    main(*sys.argv[1:])
