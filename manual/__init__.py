"""What the manual takes from the program itself: commands, states, exit codes and error codes.

The pages in ``docs/`` say ``<!-- generated: NAME -->`` where a part belongs; PARTS has each part by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .commands import command_pages
from .diagram import life_drawing
from .tables import error_codes, exit_codes, states

PARTS: Final[dict[str, Callable[[], str]]] = {
    "commands": command_pages,
    "life": life_drawing,
    "states": states,
    "exit codes": exit_codes,
    "error codes": error_codes,
}
