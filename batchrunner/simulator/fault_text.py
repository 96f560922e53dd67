"""How is a fault written on a command line, in a YAML or JSON file, or sent to a running simulator?

On a line: where, what, then settings: ``submit close accepted=yes match="red fox" times=3``.  In a file: a
list of such lines, or of mappings with the fields of Fault (`at`, `do`, ...).  PRESETS are shorter words for
frequent ones.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from .faults import KINDS, Body, Do, Fault
from .routes import Endpoint
from .wire import Ending, Framing

PRESETS: Final[Mapping[str, str]] = {
    "throttled": "answer status=429 message='Too many requests'",
    "unavailable": "answer status=503 message='Service temporarily unavailable'",
    "html": "answer status=200 body=html",
    "empty": "answer status=200 body=empty",
    "cut-json": "answer status=200 body=cut",
    "huge": "answer status=200 body=huge",
    "lock-timeout": "answer status=500 message='Redis lock timeout'",
    "refused": "answer status=422 body=detail message='ensure this value is allowed'",
    "no-balance": "answer status=400 code=400002 message=InsufficientResources",
    "bad-token": "answer status=400 code=400004 message=UserAccountError",
    "not-ready": "answer status=400 code=400005 message='the result is not ready'",
    "foreign": "answer status=403 code=403001 message=PermissionDeniedError",
    "gone": "answer status=404 code=404001 message=ResourceNotFound",
    "redirect": "answer status=302 body=empty to=https://elsewhere.example.com/",
    "moderated": "failed message='the prompt was rejected by content moderation'",
    "cancelled": "word word=cancelled",
}
"""What each short word stands for; settings written behind it win."""

_ALWAYS_USED: Final = frozenset({"at", "do", "match", "times", "skip", "each", "share"})


def parse_fault(line: str) -> Fault:
    """Read one fault from a line.  Raises ValueError that says what is wrong and what is allowed."""
    words = shlex.split(line)
    if len(words) < 2:
        raise ValueError(f"{line!r}: a fault is written WHERE WHAT [NAME=VALUE ...]")
    at, what, *settings = words
    given: dict[str, object] = {"at": at, "do": what}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"{line!r}: {setting!r} is not of the form NAME=VALUE")
        given[name] = value
    return fault_of(given)


def load_faults(path: Path) -> tuple[Fault, ...]:
    """Read a YAML or JSON file.  Raises ValueError naming the file, OSError when it cannot be read."""
    try:
        return read_faults(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def read_faults(data: object) -> tuple[Fault, ...]:
    """Read a list of faults (or a single one).  Raises ValueError."""
    entries = data if isinstance(data, list) else [data]
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: object) -> Fault:
    if isinstance(entry, str):
        return parse_fault(entry)
    if isinstance(entry, dict):
        return fault_of({str(name): value for name, value in entry.items()})
    raise ValueError(f"{entry!r} is no fault: write a line or a mapping")


def fault_of(given: Mapping[str, object]) -> Fault:
    """Make a fault from named settings, each as text or already of its type."""
    settings = _with_preset({name.replace("-", "_"): value for name, value in given.items()})
    for name in ("at", "do"):
        if name not in settings:
            raise ValueError(f"a fault needs {name!r}")
    _check_names(settings)
    values: dict[str, Any] = {name: _value(name, value) for name, value in settings.items()}
    return Fault(**values)


def _with_preset(given: dict[str, object]) -> dict[str, object]:
    preset = PRESETS.get(str(given.get("do")))
    if preset is None:
        return given
    do, *settings = shlex.split(preset)
    return {
        "do": do,
        **dict(setting.split("=", 1) for setting in settings),
        **{k: v for k, v in given.items() if k != "do"},
    }


def _check_names(settings: Mapping[str, object]) -> None:
    do: Do = _value("do", settings["do"])
    allowed = _ALWAYS_USED | KINDS[do].uses
    for name in settings:
        if name not in allowed:
            near = get_close_matches(name, allowed, n=1)
            hint = f"; do you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"the fault {do!s} has no setting {name!r}{hint} (it has {', '.join(sorted(allowed))})"
            )


def _value(name: str, value: object) -> Any:
    """*value* as the field's type; Any, because the field decides."""
    try:
        return _READERS[name](str(value))
    except ValueError as error:
        raise ValueError(f"{name}={value}: {error}") from error


def _word(kind: type[Do] | type[Body] | type[Framing] | type[Ending]) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return kind(text)
        except ValueError:
            words = [*map(str, kind), *(PRESETS if kind is Do else ())]
            raise ValueError(f"not one of {', '.join(words)}") from None

    return read


def _where(text: str) -> Endpoint | None:
    if text == "any":
        return None
    try:
        return Endpoint(text)
    except ValueError:
        raise ValueError(f"not one of any, {', '.join(Endpoint)}") from None


def _yes(text: str) -> bool:
    if text.lower() in ("yes", "true", "1"):
        return True
    if text.lower() in ("no", "false", "0"):
        return False
    raise ValueError("write yes or no")


def _times(text: str) -> int | None:
    return None if text in ("always", "None") else int(text)


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    **dict.fromkeys(Fault.__struct_fields__, str),
    "at": _where,
    "do": _word(Do),
    "times": _times,
    "skip": int,
    "each": _yes,
    "share": float,
    "accepted": _yes,
    "status": int,
    "body": _word(Body),
    "code": int,
    "size": int,
    "framing": _word(Framing),
    "ending": _word(Ending),
    "rate": float,
    "seconds": float,
    "since": float,
    "until": float,
}
