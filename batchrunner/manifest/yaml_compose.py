"""What do YAML's events say, read the way people mean them?

PyYAML gives the events (its C parser where there is one); their meaning is ours, because YAML 1.1 is full of
traps: ``16:9`` is not 969, ``no`` is not false, a repeated name is no update, and no tag makes an object.
Scalars without quotes stay text until the model's schema decides; every value knows its line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TypeAlias

import yaml
from msgspec import Struct
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from .._types import Json
from ..models.wording import show
from .plain_yaml import NO_NAMES, NULLS
from .rows import LinedDict, LinedList, Plain
from .strict_json import MAX_DEPTH

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_EXPANDED: Final = 100_000  # values that the aliases of one job may stand for; a bomb has billions

CORE: Final = "tag:yaml.org,2002:"
TEXT_TAGS: Final = frozenset({f"{CORE}str", "!"})
PLAIN_TAGS: Final = frozenset(f"{CORE}{name}" for name in ("int", "float", "bool", "null"))
COLLECTION_TAGS: Final = frozenset({f"{CORE}map", f"{CORE}seq", "!"})


class BadYaml(ValueError):
    """YAML that cannot be read any further: the message says why, `line` where."""

    def __init__(self, line: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


class Trouble(Struct, frozen=True, kw_only=True):
    """Something wrong that does not stop the reading."""

    line: int
    message: str
    hint: str | None = None


Pair: TypeAlias = "tuple[str, int, Event]"
Merge: TypeAlias = "tuple[int, Json]"


class Excerpt:
    """A file from an offset on, with something before it; where the file itself is read does not matter."""

    def __init__(self, stream: BinaryIO, at: int = 0, before: bytes = b"") -> None:
        self._stream = stream
        self._at = at
        self._before = before

    def read(self, size: int = -1, /) -> bytes:
        before, self._before = self._before, b""
        if before:
            return before
        self._stream.seek(self._at)
        found = self._stream.read(size)
        self._at += len(found)
        return found


class Gap(Struct, frozen=True, kw_only=True):
    """Lines of a file that an excerpt does not hold."""

    after: int = 0
    """The last line before them."""
    lines: int = 0
    column: int = -1
    """Up to where the line behind them belongs to a list that began with them: the column of its dash."""


NO_GAP: Final = Gap()


class Composer:
    """Turns the events of one file into values; `troubles` says what was wrong with them."""

    def __init__(
        self, text: Excerpt, *, gap: Gap = NO_GAP, anchors: dict[str, tuple[Json, int]] | None = None
    ) -> None:
        """*gap* is what *text* leaves out of the file, *anchors* what was given a name there."""
        self._next: Callable[[], Event] = LOADER(text).get_event
        self._gap = gap
        self._depth = 0
        self.anchors = {} if anchors is None else anchors
        """What each alias stands for, and of how many values that is made."""
        self._made = 0  # values so far, those behind aliases included
        self._expanded = 0  # values behind aliases since `start_job`
        self.troubles: list[Trouble] = []

    def next(self) -> Event:
        """Return the next event.  Raises BadYaml for nesting without end, YAMLError for a broken file."""
        event = self._next()
        if type(event) is not ScalarEvent:
            self._count_depth(event)
        return event

    def _count_depth(self, event: Event) -> None:
        if isinstance(event, CollectionStartEvent):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BadYaml(self.line_of(event), f"nested more than {MAX_DEPTH} deep")
        elif isinstance(event, CollectionEndEvent):
            self._depth -= 1

    def line_of(self, event: Event) -> int:
        """Return the line of the file an event begins on, from 1."""
        return self.line_at(event.start_mark)

    def line_at(self, mark: Any) -> int:
        """Return the line of the file that *mark* stands on; the first one where there is no mark."""
        gap, line = self._gap, mark.line + 1 if mark else 1
        is_above = line <= gap.after or (line == gap.after + 1 and mark.column <= gap.column)
        return int(line if is_above else line + gap.lines)

    def start_job(self) -> None:
        """Count what aliases stand for from zero again, and forget the troubles of the job before."""
        self._expanded = 0
        self.troubles = []

    def skip(self, event: Event) -> None:
        """Read past the value that *event* begins."""
        if isinstance(event, CollectionStartEvent):
            outside = self._depth - 1
            while self._depth > outside:
                self.next()

    def value(self, event: Event) -> Json:
        """Return the value that *event* begins.  Raises like `next`."""
        if type(event) is ScalarEvent and event.tag is None and event.anchor is None:
            self._made += 1
            return _untagged(event)
        if isinstance(event, AliasEvent):
            return self._aliased(event)
        before = self._made
        self._made += 1
        made = self._composed(event)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self.anchors[anchor] = (made, self._made - before)
        return made

    def pairs(self) -> Iterator[Pair]:
        """Yield name, line and first event of each value in the mapping just begun; the caller reads on."""
        while True:
            event = self.next()
            if isinstance(event, MappingEndEvent):
                return
            name = self._name(event)
            value = self.next()
            if name is None:
                self.skip(value)
            else:
                yield name, self.line_of(event), value

    def items(self) -> Iterator[Event]:
        """Yield the first event of each item in the list just begun; the caller reads on."""
        while not isinstance(event := self.next(), SequenceEndEvent):
            yield event

    def trouble(self, line: int, message: str, hint: str | None = None) -> None:
        """Note something wrong and go on."""
        self.troubles.append(Trouble(line=line, message=message, hint=hint))

    def _composed(self, event: Event) -> Json:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if (
            isinstance(event, CollectionStartEvent)
            and event.tag is not None
            and event.tag not in COLLECTION_TAGS
        ):
            self._refuse_tag(event)
        return self._mapping() if isinstance(event, MappingStartEvent) else self._list()

    def _scalar(self, event: ScalarEvent) -> Json:
        tag = event.tag
        if tag in TEXT_TAGS:
            return str(event.value)
        if tag is not None and tag not in PLAIN_TAGS:
            self._refuse_tag(event)
        return _untagged(event)

    def _list(self) -> Json:
        made = LinedList()
        for event in self.items():
            made.lines.append(self.line_of(event))
            made.append(self.value(event))
        return made

    def _mapping(self) -> Json:
        made = LinedDict()
        lines = made.lines
        merges: list[Merge] = []
        for name, line, event in self.pairs():
            value = self.value(event)
            if name == MERGE_KEY:
                merges.append((line, value))
            elif name in lines:
                self.trouble(line, f"{show(str(name))} stands twice, here and on line {lines[name]}")
            else:
                made[name], lines[name] = value, line
        for line, merged in merges:
            self._merge(made, line, merged)
        return made

    def _merge(self, made: LinedDict, line: int, merged: Json) -> None:
        """Add what a ``<<`` gives; own names win, then the first mapping of a list."""
        for source in merged if isinstance(merged, list) else [merged]:
            if not isinstance(source, LinedDict):
                self.trouble(line, "<< merges mappings only")
                continue
            for name in source.keys() - made.keys():
                made[name], made.lines[name] = source[name], source.lines[name]

    def _name(self, event: Event) -> str | None:
        """Return a mapping's name as written (``no`` and ``1`` are names too), None for one that is none."""
        if (
            type(event) is ScalarEvent
            and event.value not in NO_NAMES
            and event.tag is None
            and event.anchor is None
        ):
            self._made += 1
            return str(event.value)
        value = None if isinstance(event, CollectionStartEvent) else self.value(event)
        if isinstance(event, CollectionStartEvent):
            self.skip(event)
        if not isinstance(value, str):
            self.trouble(self.line_of(event), "a name that is empty, a list or a mapping; names are text")
            return None
        return MERGE_KEY if value == "<<" and isinstance(value, Plain) else str(value)

    def _aliased(self, event: AliasEvent) -> Json:
        name = event.anchor
        if name not in self.anchors:
            self.trouble(
                self.line_of(event),
                f"*{name} has no anchor &{name} before it",
                "an anchor stands before its aliases, and cannot be used inside itself",
            )
            return None
        value, size = self.anchors[name]
        self._made += size
        self._expanded += size
        if self._expanded > MAX_EXPANDED:
            raise BadYaml(
                self.line_of(event), f"aliases that stand for more than {MAX_EXPANDED:,} values in one job"
            )
        return value

    def _refuse_tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        tag = str(event.tag).replace(CORE, "!!")
        self.trouble(
            self.line_of(event), f"the tag {show(tag)} is not allowed", "write the value without a tag"
        )


def _untagged(event: ScalarEvent) -> Json:
    text: str = event.value
    if event.style:  # that of a plain scalar is empty
        return text
    return None if text in NULLS else Plain(text)


class _MergeKey(str):
    __slots__ = ()


MERGE_KEY: Final = _MergeKey("<<\0merge")  # no text in YAML can hold a NUL, so no written name is equal to it
