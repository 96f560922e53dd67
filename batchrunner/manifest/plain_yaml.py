"""Are these lines of a YAML file jobs at first sight?

A job whose names and values stand on lines of their own, as people and programs mostly write them: text with
or without quotes, a list in brackets or below its name, one level of names below a name.  Such lines mean the
same to every reader of YAML, and one regular expression reads thousands of them in the time of a few of
libyaml's events.  Whatever else there is (text over several lines, anchors, tags, a name that stands twice)
gets no answer here: the composer reads it.  What is not settled by a line alone, that such text is never
the inside of another one, is the caller's to know: it starts where a job starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, TypeAlias, cast

import orjson
from msgspec import Struct

from .._types import Json
from .rows import Plain

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.2, core schema

NO_NAMES: Final = NULLS | {"<<"}  # a name that is one of these needs a second look, quoted ones too

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}+"
_DOUBLE: Final = r'"(?:[^"\\\t\r\n]++|\\(?:["\\bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*+"'
_SINGLE: Final = r"'(?:[^'\t\r\n]++|'')*+'"
_WORD: Final = r"-?[A-Za-z0-9_.](?:[A-Za-z0-9_.%&+/=@~-]++|:(?=[A-Za-z0-9_./]))*+"
_ITEM: Final = f"(?:{_DOUBLE}|{_SINGLE}|{_WORD})"
_LIST: Final = rf"\[ *+(?:{_ITEM} *+(?:, *+{_ITEM} *+)*+)?+\]"
_TEXT: Final = (
    r"(?:[A-Za-z0-9_.$^+~/(<=;\x80-\U0010ffff]|-[A-Za-z0-9.])"  # nothing that means something at the start
    r"(?:[^ \t\r\n:]++|:(?=[^ \t\r\n])| ++(?=[^ \t\r\n:#]))*+"
)
LINE: Final = re.compile(
    rf"^( *+(?:- ++)?+)(?:({_NAME}):(?=[ \r\n]|\Z) *+)?+({_DOUBLE}|{_SINGLE}|{_LIST}|{_TEXT}|) *+"
    r"(?:(?<![^ \n])#[^\r\n]*+)?+\r?$",
    re.MULTILINE,
)
"""What stands before, a name, and what it is given; nothing of it in an empty line or a comment."""

ITEM: Final = re.compile(_ITEM)

FIRST: Final = itemgetter(slice(1))
"""The first character, or nothing of an empty text."""

_Raw: TypeAlias = "str | list[str] | dict[str, str]"
"""A value as it is written."""


class NotPlain(Exception):
    """Something that is not plain to see, at the line *at* (from 0)."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class PlainJobs(Struct, frozen=True, kw_only=True):
    """Jobs one behind the other."""

    text: str
    """How they are written."""
    starts: Sequence[int]
    """The line each begins on, the first of *text* being 0."""
    columns: dict[str, list[Json]]
    """What each of them has under a name; None for one that has nothing."""


def plain_jobs(text: str, lead: str) -> PlainJobs | None:
    """Return the jobs that *text* begins with, each with *lead* (``- `` and blanks); None for none at all.

    *text* ends where a job ends.
    """
    while text:
        try:
            starts, raws = _read(text, lead)
        except NotPlain as found:
            text = _before_job_at(found.at, text, lead)
        else:
            return PlainJobs(text=text, starts=starts, columns={n: _values(raw) for n, raw in raws.items()})
    return None


def _before_job_at(at: int, text: str, lead: str) -> str:
    """Return *text* up to the job that the line *at* belongs to."""
    lines = text.splitlines(keepends=True)
    while at and not lines[at].startswith(lead):
        at -= 1
    return "".join(lines[:at])


def _read(text: str, lead: str) -> tuple[Sequence[int], dict[str, Sequence[_Raw]]]:
    """Return on which line each job begins, and its values by name.  Raises NotPlain."""
    lines = text.removesuffix("\n")
    tokens: list[tuple[str, str, str]] = LINE.findall(lines)
    if len(tokens) != lines.count("\n") + 1:
        raise NotPlain(_first_other_line(lines))
    return _alike(tokens, lead) or _each(tokens, lead)


def _first_other_line(lines: str) -> int:
    end = -1
    for number, found in enumerate(LINE.finditer(lines)):
        if found.start() != end + 1:
            return number
        end = found.end()
    return lines.count("\n", 0, end + 1)


def _alike(
    tokens: list[tuple[str, str, str]], lead: str
) -> tuple[Sequence[int], dict[str, Sequence[_Raw]]] | None:
    """Return the same where all jobs have the same names in the same order, one line for each."""
    leads, names, raws = zip(*tokens, strict=True)
    size = leads.index(lead, 1) if lead in leads[1:] else len(leads)
    times = len(leads) // size
    own = names[:size]
    if (
        leads != (lead, *(" " * len(lead),) * (size - 1)) * times
        or names != own * times
        or len({*own}) < size
        or not NO_NAMES.isdisjoint(own)
    ):
        return None
    return range(0, len(leads), size), {name: raws[at::size] for at, name in enumerate(own)}


def _each(tokens: list[tuple[str, str, str]], lead: str) -> tuple[Sequence[int], dict[str, Sequence[_Raw]]]:
    """Return the same of jobs that differ.  Raises NotPlain."""
    rows: list[dict[str, _Raw]] = []
    starts: list[int] = []
    row: dict[str, _Raw] = {}
    beside, below = " " * len(lead), ""
    for at, (before, name, raw) in enumerate(tokens):
        if name in NO_NAMES:
            if not name and not raw and "-" not in before:  # an empty line, or a comment
                continue
            if name or not rows:
                raise NotPlain(at)
        if before == lead and name:
            row = {name: raw}
            rows.append(row)
            starts.append(at)
        elif not rows:
            raise NotPlain(at)
        elif before == beside and name:
            if name in row:
                raise NotPlain(at)
            row[name] = raw
        else:
            above, value = row.popitem()
            if value == "":
                below = before
            row[above] = _with_line_below(value, name, raw, before, at, beside=beside, below=below)
    names = dict.fromkeys(chain.from_iterable(rows))
    return starts, {name: [row.get(name, "") for row in rows] for name in names}


def _with_line_below(
    value: _Raw, name: str, raw: str, before: str, at: int, *, beside: str, below: str
) -> _Raw:
    """Return *value*, begun on an earlier line, with what a line further right adds.  Raises NotPlain."""
    dash = before.find("-")
    if before == below and not name and dash >= len(beside):
        if value == "":
            return [raw]
        if isinstance(value, list):
            value.append(raw)
            return value
    elif before == below and name and dash < 0 and len(before) > len(beside):
        if value == "":
            return {name: raw}
        if isinstance(value, dict) and name not in value:
            value[name] = raw
            return value
    raise NotPlain(at)


def _values(raws: Sequence[_Raw]) -> list[Json]:
    """Return what values mean that are written as *raws*, a column at a time where they are alike."""
    if {*map(type, raws)} != {str}:
        return list(map(_value, raws))
    written = cast("Sequence[str]", raws)
    signs = {*map(FIRST, written)}
    if signs == {'"'}:
        texts: list[Json] = orjson.loads(f"[{','.join(written)}]")
        return texts
    if signs == {"["}:
        lists = _lists_of_texts(written)
        if lists is not None:
            return lists
    elif signs.isdisjoint(("", '"', "'", "[")) and NULLS.isdisjoint(written):
        return list(map(Plain, written))
    return list(map(_value, written))


def _lists_of_texts(raws: Sequence[str]) -> list[Json] | None:
    """Return the lists, if all are lists of texts in double quotes, as JSON writes them."""
    try:
        lists: list[list[Json]] = orjson.loads(f"[{','.join(raws)}]")
    except orjson.JSONDecodeError:
        return None
    return list(lists) if {*map(type, chain.from_iterable(lists))} <= {str} else None


def _value(raw: _Raw) -> Json:
    if isinstance(raw, list):
        return list(map(_value, raw))
    if isinstance(raw, dict):
        return {name: _value(inner) for name, inner in raw.items()}
    match raw[:1]:
        case '"':
            text: str = orjson.loads(raw)
            return text
        case "'":
            return raw[1:-1].replace("''", "'")
        case "[":
            return list(map(_value, ITEM.findall(raw)))
        case _:
            return None if raw in NULLS else Plain(raw)
