"""What is at ``error.code``, ``inputs.text`` or ``outputs.0.file`` in a results line?

A column is a way into the line.  Names below ``inputs`` and ``meta`` are the folder's own, so they are looked
up there; a column nobody can have is refused with the nearest one that is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from .._types import Json
from ..errors import Usage
from ..ledger import Store
from ..models.wording import nearest
from .columns import survey

FIELDS: Final = (
    "id", "row", "model", "status", "inputs", "meta", "request_id", "attempts", "outputs",
    "error", "cost_usd", "submitted_at", "completed_at", "saved_at", "in_manifest",
)  # fmt: skip

SOMETIMES: Final = ("local_files",)
"""Fields that only some lines have."""

INSIDE: Final = {
    "error": ("code", "message", "service_code"),
    "outputs": ("file", "kind", "bytes", "sha256", "url", "store", "presigned"),
}

OPEN: Final = ("inputs", "meta")
"""Fields whose names are the user's."""


Names: TypeAlias = "dict[str, list[str] | None]"


class Picked(Struct, frozen=True, kw_only=True):
    """One column: its name as typed, and the way to its value."""

    name: str
    path: tuple[str, ...]

    def value(self, line: Json) -> Json:
        """Return what is there, null where there is nothing."""
        for step in self.path:
            match line:
                case dict():
                    line = line.get(step)
                case list() if step.isdecimal() and int(step) < len(line):
                    line = line[int(step)]
                case _:
                    return None
        return line


def parse_columns(text: str, store: Store) -> list[Picked]:
    """Return the columns that *text* names (``id,error.code``).  Raises Usage for one that is not there."""
    names = [name.strip() for name in text.split(",")]
    inside = [name for name in names if name.partition(".")[0] in OPEN and "." in name]
    known = _names_in(store) if inside else {}
    return [_parse(name, known, store) for name in names]


def _parse(name: str, known: Names, store: Store) -> Picked:
    first, dot, rest = name.partition(".")
    if first not in (*FIELDS, *SOMETIMES):
        raise _unknown(name, store)
    if not dot:
        return Picked(name=name, path=(first,))
    if first in OPEN:
        names = known[first]
        if names is None:  # too many to tell a wrong one
            names = [rest]
        own = max((one for one in names if f"{rest}.".startswith(f"{one}.")), key=len, default="")
        if not own:
            raise _unknown(name, store)
        deeper = rest[len(own) + 1 :]
        return Picked(name=name, path=(first, own, *(deeper.split(".") if deeper else ())))
    steps = tuple(rest.split("."))
    allowed = steps[1:] if first == "outputs" and steps[0].isdecimal() else steps
    if first not in INSIDE or len(allowed) > 1 or (allowed and allowed[0] not in INSIDE[first]):
        raise _unknown(name, store)
    if first == "outputs" and allowed == steps:  # outputs.file: of the first one
        steps = ("0", *steps)
    return Picked(name=name, path=(first, *steps))


def _unknown(name: str, store: Store) -> Usage:
    known = list(_every_column(store))
    near = nearest(name, known) or next((one for one in known if one.endswith(f".{name}")), None)
    hint = f"did you mean {near}?" if near else f"one of {', '.join(known)}"
    return Usage(f"--columns: there is no column {name!r}", hint=hint)


def _every_column(store: Store) -> Iterator[str]:
    yield from (*FIELDS, *SOMETIMES)
    for field, names in INSIDE.items():
        place = f"{field}.0" if field == "outputs" else field
        yield from (f"{place}.{name}" for name in names)
    for field, found in _names_in(store).items():
        yield from (f"{field}.{name}" for name in found or ())


def _names_in(store: Store) -> Names:
    """Return the names of the folder's inputs and notes, None where there are too many."""
    names: Names = {field: [] for field in OPEN}
    for column in survey(store, ()):
        found = names[column.source]
        names[column.source] = None if column.key is None or found is None else [*found, column.key]
    return names
