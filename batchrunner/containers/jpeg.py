"""Is this JPEG whole?

Its segments are walked, and its coded data scanned, to the end-of-image marker (ITU T.81, annex B).  Bytes
behind that marker are allowed: phones put depth maps and second pictures there.

Not seen: damage inside the coded data that leaves no marker behind.
"""

from __future__ import annotations

from typing import Final

from .reader import BLOCK, Reader
from .verdict import Kind, Media, NotWhole

_END_OF_IMAGE: Final = 0xD9
_START_OF_SCAN: Final = 0xDA
_NOT_FRAMES: Final = frozenset(
    {0xC4, 0xC8, 0xCC}
)  # tables that stand between the numbers of the frame headers
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - _NOT_FRAMES
_WITHOUT_BODY: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_INSIDE_SCAN: Final = frozenset({0x00, *range(0xD0, 0xD8)})
"""What may follow 0xFF within coded data: an escaped 0xFF, or a restart marker."""


def examine_jpeg(reader: Reader) -> Media:
    """Raises NotWhole."""
    offset, seen = 2, set[int]()
    while True:
        offset, marker = _marker(reader, offset)
        if marker == _END_OF_IMAGE:
            break
        seen.add(marker)
        if marker not in _WITHOUT_BODY:
            offset = _segment(reader, offset, marker)
        if marker == _START_OF_SCAN:
            offset = _end_of_scan(reader, offset)
    if not (seen & _FRAMES and _START_OF_SCAN in seen):
        raise NotWhole("it is a JPEG without a picture")
    return Media(kind=Kind.IMAGE, extension=".jpg")


def _marker(reader: Reader, offset: int) -> tuple[int, int]:
    """Return the marker at *offset*, any number of 0xFF before it, and where it ends."""
    if reader.read(offset, 1, "the picture") != b"\xff":
        raise NotWhole(f"there should be a marker at byte {offset:,}, but there is none (damaged, or zeros)")
    while (byte := reader.read(offset, 1, "the picture")) == b"\xff":
        offset += 1
    return offset + 1, byte[0]


def _segment(reader: Reader, offset: int, marker: int) -> int:
    """Check one segment with a length; return where it ends."""
    length = int.from_bytes(reader.read(offset, 2, "a segment"))
    reader.require(offset + length, "a segment")
    if length < 2 or marker == 0:
        raise NotWhole(f"its segment at byte {offset:,} is damaged")
    if marker in _FRAMES:
        height, width = reader.read(offset + 3, 2, "its size"), reader.read(offset + 5, 2, "its size")
        if not (any(height) and any(width)):
            raise NotWhole("it is a JPEG without a size")
    return offset + length


def _end_of_scan(reader: Reader, start: int) -> int:
    """Return where the first marker after the coded data from *start* begins."""
    offset = start
    while True:
        reader.require(offset + 2, "the picture")
        # One byte more than the step, so that a marker's two bytes are seen together.
        piece = reader.read(offset, min(BLOCK + 1, reader.size - offset), "the picture")
        at = piece.find(b"\xff")
        while 0 <= at < len(piece) - 1:
            if piece[at + 1] not in _INSIDE_SCAN:
                return offset + at
            at = piece.find(b"\xff", at + 1)
        offset += len(piece) - 1
