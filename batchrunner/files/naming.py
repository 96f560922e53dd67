"""Where below ``videos/`` does this job's output go?  The folder's layout: a pattern of fields, or ``ID``.

A pattern such as ``{model}/{seed}-{id}`` is filled with the job's own values; every part of the path is then
made portable like any name (names.py), so none leads out of the folder.  A name is a wish: the ledger takes
the first of `candidates` that is free, and keeps it.
Pure: what is taken is the ledger's to say.  Why layouts never change: docs/decisions/0015.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from string import Formatter
from typing import Final

from msgspec import Struct

from .._types import Json
from ..names import FORBIDDEN, file_name, mark, safe_stem

PLAIN: Final = "{id}"

OWN: Final = ("id", "model", "index", "row", "n")
"""Fields of the job itself: its place in the manifest, its line there, the output's number."""

NUMBERS: Final = ("index", "row", "n")
"""Fields that take a format, such as ``{index:06d}``."""

DEEPEST: Final = 8
"""So many folders and the name: the longest path stays far below what systems take."""

_WITHOUT_FORBIDDEN: Final = str.maketrans(dict.fromkeys(FORBIDDEN, "_"))
"""For values like ``16:9`` and ``owner/model``: readable, and without the mark of a name that was changed."""

ABSENT: Final = "none"
"""Written for a field this job has no value for."""


class BadPattern(ValueError):
    """A pattern that names no files; the message says why."""


class Subject(Struct, frozen=True, kw_only=True):
    """The job a name is for."""

    id: str
    model: str
    index: int
    row: int
    inputs: Mapping[str, Json]
    meta: Mapping[str, Json]

    def value(self, name: str, n: int) -> Json:
        """Return the field *name*: our own, an input, a note; null where the job has none."""
        if name in OWN:
            return n if name == "n" else getattr(self, name)
        source, _, inner = name.partition(".")
        named = {"inputs": self.inputs, "meta": self.meta}.get(source)
        if named is not None and inner in named:
            return named[inner]
        return self.inputs.get(name, self.meta.get(name))


class Layout(Struct, frozen=True, kw_only=True):
    """How a folder names its files; a fact of the folder, so that names never move."""

    pattern: str = PLAIN
    sharded: bool = False
    """Spread over 256 folders, ``videos/00`` to ``videos/ff``, by the id's hash."""

    @classmethod
    def parse(cls, fact: str | None) -> Layout:
        """Return the layout a folder has recorded; the plain one where it has none."""
        return cls(**json.loads(fact)) if fact else cls()

    def fact(self) -> str:
        """Return what is recorded."""
        return json.dumps({"pattern": self.pattern, "sharded": self.sharded})


def check_pattern(pattern: str) -> None:
    """Raise BadPattern for a text that is no pattern, whatever fields there are."""
    parts = pattern.split("/")
    if any(not part.strip(" .") for part in parts):
        raise BadPattern("a part of the path is empty, or only dots")
    if len(parts) > DEEPEST:
        raise BadPattern(f"more than {DEEPEST} parts")
    if not fields(pattern):
        raise BadPattern("it names no field, so all files would be called the same")


def fields(pattern: str) -> list[str]:
    """Return the names in braces.  Raises BadPattern for braces that cannot be read."""
    try:
        parsed = list(Formatter().parse(pattern))
    except ValueError as error:
        raise BadPattern(f"the braces cannot be read: {error} (a brace itself is written twice)") from None
    found = [(name, spec, conversion) for _, name, spec, conversion in parsed if name is not None]
    for name, spec, conversion in found:
        if conversion or not name or "/" in name:
            raise BadPattern(f"{{{name}{f'!{conversion}' if conversion else ''}}} is no field")
        if spec and (name not in NUMBERS or not _is_format(spec)):
            raise BadPattern(f"{{{name}:{spec}}}: only {', '.join(NUMBERS)} take a format, such as :06d")
    return [name for name, _, _ in found]


def candidates(
    layout: Layout, subject: Subject, n: int, folder: str, extension: str, seq: int
) -> Iterator[str]:
    """Yield names for the job's *n*-th output, the wanted one first; they never end."""
    if layout.sharded:
        folder = f"{folder}/{sha256(subject.id.encode('utf-8', 'surrogatepass')).hexdigest()[:2]}"
    if layout.pattern == PLAIN:
        yield f"{folder}/{file_name(subject.id, n, extension)}"
        yield f"{folder}/{file_name(subject.id, n, extension, distinct=True)}"
    else:
        *above, last = (_part(part, subject, n) for part in layout.pattern.split("/"))
        folder = "/".join([folder, *above])
        number = "" if n == 1 or "n" in fields(layout.pattern) else f".{n}"
        yield f"{folder}/{last}{number}{extension}"
        yield f"{folder}/{last}{mark(subject.id)}{number}{extension}"
    while True:
        yield f"{folder}/{file_name(f'job-{seq}', n, extension, distinct=True)}"
        seq += 1_000_003  # far beyond any other job's number


def _part(part: str, subject: Subject, n: int) -> str:
    """Return one part of the path, filled and portable."""
    text = ""
    for literal, name, spec, _ in Formatter().parse(part):
        text += literal
        if name is not None:
            text += _written(subject.value(name, n), spec or "")
    return safe_stem(text if text.strip() else ABSENT)


def _written(value: Json, spec: str) -> str:
    match value:
        case None:
            return ABSENT
        case int() if spec:
            return format(value, spec)
        case str():
            return value.translate(_WITHOUT_FORBIDDEN)
        case _:
            return json.dumps(value, ensure_ascii=False).translate(_WITHOUT_FORBIDDEN)


def _is_format(spec: str) -> bool:
    return spec.removesuffix("d").isdecimal() and int(spec.removesuffix("d")) <= 20
