"""`batchrunner` with its stack noted every few milliseconds of CPU time.

    python -m benchmarks.programs.sampled_run SAMPLES ARGUMENT...

ARGUMENTs are those of `batchrunner`.  Samples, unlike a tracing profiler, make small functions no dearer
than they are.  SAMPLES becomes a JSON list of [times seen, [[file, function], ...]], innermost first; while
another thread computes, the main thread is seen waiting.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

EVERY_S: Final = 0.002

Stack = tuple[tuple[str, str], ...]

_seen: Counter[Stack] = Counter()


def note(number: int, frame: FrameType | None) -> None:
    """Count the stack that the signal interrupted."""
    stack: list[tuple[str, str]] = []
    while frame is not None:
        stack.append((frame.f_code.co_filename, frame.f_code.co_name))
        frame = frame.f_back
    _seen[tuple(stack)] += 1


def main(samples: str, *arguments: str) -> None:
    sys.argv = ["batchrunner", *arguments]
    os._exit = partial(end, Path(samples))  # a command ends by it, at once
    signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    from batchrunner.cli import main as command  # its imports are part of what a run costs

    command()


def end(samples: Path, code: int, *, leave: Callable[[int], NoReturn] = os._exit) -> NoReturn:
    signal.setitimer(signal.ITIMER_PROF, 0)
    samples.write_text(json.dumps([[times, stack] for stack, times in _seen.items()]))
    leave(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
