"""Is this WebM or Matroska film whole?

Elements (RFC 8794) add up: the segment to the file's length, the clusters to the segment, the blocks to their
cluster; there is a track and a block of it; the last block of pictures does not end in zeros.

Not seen: a changed bit inside a block; a film of unknown length, as a live recording has, that was cut
exactly between two blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .frames import TAIL
from .reader import Reader
from .verdict import Kind, Media, NotWhole

# Element ids by the names of RFC 9559.
_EBML: Final = 0x1A45DFA3
_DOC_TYPE: Final = 0x4282
_SEGMENT: Final = 0x18538067
_TRACKS: Final = 0x1654AE6B
_TRACK_ENTRY: Final = 0xAE
_TRACK_NUMBER: Final = 0xD7
_TRACK_TYPE: Final = 0x83
_CODEC_ID: Final = 0x86
_CLUSTER: Final = 0x1F43B675
_SIMPLE_BLOCK: Final = 0xA3
_BLOCK_GROUP: Final = 0xA0
_BLOCK: Final = 0xA1

_ANYWHERE: Final = frozenset({0xEC, 0xBF})  # Void, CRC-32
_IN_SEGMENT: Final = _ANYWHERE | {
    _TRACKS, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469,
}  # fmt: skip  # SeekHead, Info, Cues, Tags, Chapters, Attachments
_IN_CLUSTER: Final = _ANYWHERE | {_SIMPLE_BLOCK, _BLOCK_GROUP, 0xE7, 0xA7, 0xAB, 0x5854, 0xAF}

_VIDEO: Final = 1
_AUDIO: Final = 2
_DENSE_CODECS: Final = (b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG")
"""Codings whose frames do not end in a row of zero bytes."""


class _Element(Struct, frozen=True, kw_only=True):
    id: int
    start: int
    body: int
    end: int
    """Where it ends, or could end at the latest if its length is unknown."""
    is_open: bool
    """Whether its length is unknown: then it ends where something follows that cannot be in it."""


class _Found(Struct, kw_only=True):
    """What the walk met so far."""

    types: dict[int, int]
    """Track number -> 1 for pictures, 2 for sound."""
    dense: set[int]
    seen: set[int]
    """The types of which there was a block."""
    last: tuple[int, int] = (0, 0)
    """The last block of a dense track."""


def examine_matroska(reader: Reader) -> Media:
    """Raises NotWhole."""
    header = _element(reader, 0, reader.size)
    doc_type = _doc_type(reader, header)
    segment = _element(reader, header.end, reader.size)
    if segment.id != _SEGMENT:
        raise NotWhole(f"there is no film after its header (at byte {header.end:,})")
    if segment.end != reader.size:
        raise NotWhole(f"it ends at byte {segment.end:,}, but the file goes on to byte {reader.size:,}")
    found = _Found(types={}, dense=set(), seen=set())
    _walk_segment(reader, segment, found)
    if reader.is_zero(max(found.last[0], found.last[1] - TAIL), found.last[1], "a block"):
        raise NotWhole(f"its last frames are zeros (up to byte {found.last[1]:,})")
    return _media(doc_type, found.seen)


def _media(doc_type: bytes, seen: set[int]) -> Media:
    is_webm = doc_type == b"webm"
    if _VIDEO in seen:
        return Media(kind=Kind.VIDEO, extension=".webm" if is_webm else ".mkv")
    if _AUDIO in seen:
        return Media(kind=Kind.AUDIO, extension=".weba" if is_webm else ".mka")
    raise NotWhole("it is a WebM or Matroska file without a single frame")


def _doc_type(reader: Reader, header: _Element) -> bytes:
    named = next((child for child in _children(reader, header) if child.id == _DOC_TYPE), None)
    return _value(reader, named).rstrip(b"\0") if named else b""


def _walk_segment(reader: Reader, segment: _Element, found: _Found) -> None:
    offset = segment.body
    while offset < segment.end:
        child = _element(reader, offset, segment.end)
        if child.id not in _IN_SEGMENT:
            raise NotWhole(f"at byte {offset:,} there is nothing a film consists of (damaged, or zeros)")
        if child.id == _TRACKS:
            _read_tracks(reader, child, found)
        offset = _walk_cluster(reader, child, found) if child.id == _CLUSTER else child.end
        if child.is_open and child.id != _CLUSTER:
            raise NotWhole(f"its element at byte {child.start:,} has no length")


def _walk_cluster(reader: Reader, cluster: _Element, found: _Found) -> int:
    """Look at every block; return where the cluster ends."""
    offset = cluster.body
    while offset < cluster.end:
        child = _element(reader, offset, cluster.end)
        if cluster.is_open and child.id in _IN_SEGMENT - _ANYWHERE:
            return offset
        if child.id not in _IN_CLUSTER or child.is_open:
            raise NotWhole(
                f"at byte {offset:,} there should be a block, but there is none (damaged, or zeros)"
            )
        _note_block(reader, child, found)
        offset = child.end
    return offset


def _note_block(reader: Reader, child: _Element, found: _Found) -> None:
    block: _Element | None = child
    if child.id == _BLOCK_GROUP:
        block = next((inner for inner in _children(reader, child) if inner.id == _BLOCK), None)
    elif child.id != _SIMPLE_BLOCK:
        return
    if block is None or block.end - block.body < 5:  # a track, two bytes of time, flags, and some data
        raise NotWhole(f"its block at byte {child.start:,} is empty")
    track, width = _number(reader, block.body, block.end, keep_marker=False)
    found.seen.add(found.types.get(track, 0))
    if track in found.dense:
        found.last = (block.body + width + 3, block.end)


def _read_tracks(reader: Reader, tracks: _Element, found: _Found) -> None:
    for entry in _children(reader, tracks):
        if entry.id == _TRACK_ENTRY:
            fields = {child.id: _value(reader, child) for child in _children(reader, entry)}
            number = int.from_bytes(fields.get(_TRACK_NUMBER, b""))
            found.types[number] = int.from_bytes(fields.get(_TRACK_TYPE, b""))
            if fields.get(_CODEC_ID, b"").startswith(_DENSE_CODECS):
                found.dense.add(number)


def _children(reader: Reader, parent: _Element) -> Iterator[_Element]:
    offset = parent.body
    while offset < parent.end:
        child = _element(reader, offset, parent.end)
        yield child
        offset = child.end


def _value(reader: Reader, element: _Element) -> bytes:
    return reader.read(element.body, min(element.end - element.body, 64), "its header")


def _element(reader: Reader, start: int, limit: int) -> _Element:
    identity, id_width = _number(reader, start, limit, keep_marker=True)
    size, size_width = _number(reader, start + id_width, limit, keep_marker=False)
    body = start + id_width + size_width
    is_open = size == (1 << 7 * size_width) - 1
    end = limit if is_open else body + size
    reader.require(end, f"its element at byte {start:,}")
    if end > limit:
        raise NotWhole(f"its element at byte {start:,} is longer than the one it lies in")
    return _Element(id=identity, start=start, body=body, end=end, is_open=is_open)


def _number(reader: Reader, start: int, limit: int, *, keep_marker: bool) -> tuple[int, int]:
    """Return a number and its width, which its leading zero bits say (RFC 8794, section 4)."""
    if start >= limit:
        raise NotWhole(f"it breaks off at byte {limit:,}")
    data = reader.read(start, min(8, limit - start), "an element")
    width = 9 - data[0].bit_length()
    if width > len(data):
        raise NotWhole(f"at byte {start:,} there should be an element, but there is none (damaged, or zeros)")
    number = int.from_bytes(data[:width])
    return (number if keep_marker else number & ((1 << 7 * width) - 1)), width
