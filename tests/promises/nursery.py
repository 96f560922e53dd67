"""A process that has imported everything, lives fast, and forks one ``batchrunner`` command after another.

``python -m tests.promises.nursery BEGAN_AT`` reads an order a line (JSON, see lives.py) and answers with the
process id of the command and, when it has ended, its wait status.  A real process each, at a tenth of the
price of a new interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from typing import Any

from .hurry import hurry

if __name__ == "__main__":
    hurry(float(sys.argv[1]))  # before anything that looks at a clock is imported

from ..warm import warm_up
from . import driver


def main() -> None:
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order)
        _say({"pid": child})
        if order["kill_after_s"] is not None:
            time.sleep(order["kill_after_s"])
            os.kill(child, signal.SIGKILL)  # nobody has waited for it: the number is still its own
        _say({"status": os.waitpid(child, 0)[1]})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _live(order: dict[str, Any]) -> None:
    """Be the command, to its end."""
    code = 99
    try:
        _redirect(order["out"], order["err"])
        os.chdir(order["cwd"])
        os.environ.update(order["env"])
        code = driver.drive(order)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(out: str, err: str) -> None:
    for handle, path in ((0, os.devnull), (1, out), (2, err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, handle)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
