"""``--notify URL``: a few words about how a run ended, to wherever the user reads such words.

Apprise knows the services; an address of theirs (``mailto://``, ``slack://``, ``ntfy://`` ...) holds logins,
so none is ever shown, logged, or part of the command to type next.  Needs the extra ``notify``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .._types import Json
from ..errors import Usage
from ..names import printable

if TYPE_CHECKING:
    from apprise import Apprise

PATIENCE_S: Final = 60.0
"""How long the services may take, all together, before the run ends without them."""


def open_notices(addresses: Sequence[str]) -> Apprise | None:
    """Return what tells all *addresses*, None without any.  Raises Usage for one that nobody serves.

    To be called before the run begins: in the morning it is too late to hear that nothing was sent.
    """
    if not addresses:
        return None
    try:
        from apprise import Apprise
    except ImportError:
        raise Usage("--notify needs apprise", hint="pip install 'batchrunner[notify]'") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it says names addresses
    notices = Apprise()
    for number, address in enumerate(addresses, 1):
        if not notices.add(address):
            scheme = printable(address.partition("://")[0], 20) if "://" in address else "without ://"
            raise Usage(
                f"--notify: address {number} ({scheme}) is none that a service takes; nothing was sent",
                hint="its form is the service's own, such as ntfy://ntfy.sh/TOPIC or mailto://USER:PASSWORD@HOST",
            )
    return notices


def send_notices(notices: Apprise, folder: Path, summary: Mapping[str, Json]) -> str | None:
    """Say how the run ended; return what went wrong, None when every service took it."""
    title, body = notice(folder, summary)
    taken: list[bool] = []
    sender = threading.Thread(target=lambda: taken.append(bool(notices.notify(body, title))), daemon=True)
    sender.start()
    sender.join(PATIENCE_S)
    if sender.is_alive():
        return f"--notify took longer than {PATIENCE_S:g} s and was left alone"
    return None if taken == [True] else "--notify: a service did not take the message"


def notice(folder: Path, summary: Mapping[str, Json]) -> tuple[str, str]:
    """Return title and text: the counts, what it cost, and why the run ended when it was stopped."""
    states = summary.get("states")
    counts = states.items() if isinstance(states, dict) else ()
    lines = [" · ".join(f"{n} {_WORDS.get(state, state)}" for state, n in counts if n) or "no job was run"]
    if summary.get("reason"):
        lines.append(str(summary["reason"]))
    if isinstance(cost := summary.get("cost_usd"), int | float):
        lines.append(f"cost: {cost:.2f} USD")
    lines.append(f"exit code {summary['exit_code']}, {folder.resolve()}")
    name = printable(folder.resolve().name, 60)
    return f"batchrunner: {name} {_ENDS.get(summary['exit_code'], 'stopped')}", "\n".join(
        printable(line, 400) for line in lines
    )


_WORDS: Final = {"unknown": "in doubt", "ready": "not downloaded"}
_ENDS: Final[dict[Json, str]] = {0: "is done", 1: "is done, with failures", 75: "has work left"}
