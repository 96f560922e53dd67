"""Which boxes does a piece of an MP4 or QuickTime file consist of?

A box is a length, a four-letter name and a body (ISO/IEC 14496-12, section 4.2); what stands in a container
adds up to its length exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .reader import Reader
from .verdict import NotWhole

_TERMINATORS: Final = frozenset({bytes(4), b"\0\0\0\x08" + bytes(4)})
"""How QuickTime ends some lists: with four zero bytes, or an empty box without a name."""

_LETTERS: Final = frozenset(range(0x20, 0x7F)) | {0xA9}  # Apple's names of tags begin with ©


INDEX_NAMES: Final = frozenset(
    {"tkhd", "mdia", "hdlr", "minf", "stbl", "stsd", "stsz", "stz2", "stsc", "stco", "co64"}
)
"""The boxes of a track that say where its frames are."""


class Box(Struct, frozen=True, kw_only=True):
    """Where one box lies in the file."""

    name: str
    start: int
    body: int
    """Where its content begins."""
    end: int


def top_boxes(reader: Reader) -> Iterator[Box]:
    """Yield the file's own boxes.  Raises NotWhole unless they end exactly where the file ends."""
    offset = 0
    while offset < reader.size:
        box = _box(reader, _head(reader, offset, reader.size), offset, reader.size)
        yield box
        offset = box.end


def boxes(reader: Reader, parent: Box, skip: int = 0) -> Iterator[Box]:
    """Yield the boxes in the body of *parent*, after *skip* bytes of its own fields."""
    offset = parent.body + skip
    while offset < parent.end:
        head = _head(reader, offset, parent.end)
        if head in _TERMINATORS:
            return
        box = _box(reader, head, offset, parent.end)
        yield box
        offset = box.end


def child(reader: Reader, parent: Box, name: str) -> Box | None:
    """Return the first box of that name in *parent*, or None."""
    return next((box for box in boxes(reader, parent) if box.name == name), None)


class Inside:
    """The first box of each name in a container, found in one walk that goes no further than asked."""

    def __init__(self, reader: Reader, parent: Box) -> None:
        self._reader = reader
        self._parent = parent
        self._rest = boxes(reader, parent)
        self._found: dict[str, Box] = {}

    def get(self, name: str) -> Box | None:
        """Return the box of that name, one of INDEX_NAMES; None without one."""
        while name not in self._found:
            box = next(self._rest, None)
            if box is None:
                return None
            if box.name in INDEX_NAMES:  # a hostile container has millions of others
                self._found.setdefault(box.name, box)
        return self._found[name]

    def need(self, name: str) -> Box:
        """Return it.  Raises NotWhole without one."""
        found = self.get(name)
        if found is None:
            parent = self._parent
            raise NotWhole(f"its index lacks the box {name!r} (in {parent.name!r} at byte {parent.start:,})")
        return found

    def within(self, name: str) -> Inside:
        """Return what is inside of it.  Raises NotWhole without one."""
        return Inside(self._reader, self.need(name))


def field(reader: Reader, box: Box, offset: int, width: int = 4) -> int:
    """Return the unsigned number at *offset* in the body of *box*.  Raises NotWhole if it is not in there."""
    start = box.body + offset
    if start + width > box.end:
        raise NotWhole(f"its box {box.name!r} at byte {box.start:,} is too short")
    return int.from_bytes(reader.read(start, width, "a box"))


def _head(reader: Reader, start: int, limit: int) -> bytes:
    """Return the length and the name of the box at *start*, or what is left where none has room."""
    return reader.read(start, min(8, limit - start), "a box")


def _box(reader: Reader, head: bytes, start: int, limit: int) -> Box:
    if len(head) < 8:
        raise NotWhole(f"the bytes from {start:,} to {limit:,} belong to no box")
    if not _LETTERS.issuperset(head[4:]):
        raise NotWhole(f"there should be a box at byte {start:,}, but there is none (damaged, or zeros)")
    name = head[4:].decode("latin-1")
    body, end = _extent(reader, start, int.from_bytes(head[:4]), name)
    if end < body:
        raise NotWhole(f"its box {name!r} at byte {start:,} is shorter than its own header")
    if end > limit:
        reader.require(end, f"its box {name!r}")
        raise NotWhole(f"its box {name!r} at byte {start:,} is longer than the box it lies in")
    return Box(name=name, start=start, body=body, end=end)


def _extent(reader: Reader, start: int, size: int, name: str) -> tuple[int, int]:
    """Return where the body begins and where the box ends."""
    if size == 1:
        return start + 16, start + int.from_bytes(reader.read(start + 8, 8, f"its box {name!r}"))
    if size == 0 and name == "mdat":
        return start + 8, reader.size  # "to the end of the file": only a writer that could not seek back
    return start + 8, start + size
