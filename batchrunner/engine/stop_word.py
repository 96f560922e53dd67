"""How does a Ctrl-C reach runs on other machines?  By a file in the folder that all of them share.

The coordinator writes down the signals it got, under the number of its session; a run heeds each of them
once, as if it had got it itself.  What an earlier session wrote is nobody's concern.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from ..files.disk import replaced_file
from ..pool import Context
from ..session.signals import heed
from ..sharding import SHARDS

NAME: Final = "stop"

LOOK_EVERY_S: Final = 1.0


def write_word(whole: Path, session: str, signals: list[signal.Signals]) -> None:
    """Say which signals the coordinator of *session* got, in order."""
    with replaced_file(whole / SHARDS / NAME) as file:
        json.dump({"session": session, "signals": [one.name for one in signals]}, file)


def read_word(whole: Path, session: str) -> list[signal.Signals]:
    """Return the signals of *session*; none while nobody said anything."""
    try:
        said = json.loads((whole / SHARDS / NAME).read_text("utf-8"))
        return [signal.Signals[name] for name in said["signals"]] if said["session"] == session else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


async def listen_for_word(context: Context, *, whole: Path, session: str) -> None:
    """Let the run heed what the coordinator heard; runs beside it until its end."""
    heeded = 0
    while True:
        for received in (await anyio.to_thread.run_sync(read_word, whole, session))[heeded:]:
            heed(context, received)
            heeded += 1
        await anyio.sleep(LOOK_EVERY_S)
