"""Is this PNG whole?

Every chunk has its right checksum, the last one is ``IEND`` and ends the file, and the pixels inflate to
exactly as many bytes as the header announces (W3C PNG, third edition).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .reader import Reader
from .verdict import Kind, Media, NotWhole

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

MAX_PIXEL_BYTES: Final = 1 << 32
"""What the largest picture may inflate to: 32,768 x 32,768 in RGBA.  A few bytes could announce far more."""

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type

# Adam7: where each of the seven passes begins, and its steps, in columns and rows.
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


class _Chunk(Struct, frozen=True, kw_only=True):
    name: str
    body: int
    end: int
    """Where its content ends and its checksum begins."""


def examine_png(reader: Reader) -> Media:
    """Raises NotWhole."""
    pixels: _Pixels | None = None
    for chunk in _chunks(reader):
        if chunk.name == "IHDR":
            pixels = _Pixels(_announced(reader, chunk))
        elif pixels is None:
            raise NotWhole("it is a PNG without a header")
        _check(reader, chunk, pixels if chunk.name == "IDAT" else None)
    if pixels is None or not pixels.are_complete:
        raise NotWhole("it is a PNG with too few pixels")
    return Media(kind=Kind.IMAGE, extension=".png")


class _Pixels:
    """Counts what the picture's data inflates to, without keeping it."""

    def __init__(self, announced: int) -> None:
        self._left = announced
        self._inflate = zlib.decompressobj()

    @property
    def are_complete(self) -> bool:
        return self._left == 0 and self._inflate.eof

    def feed(self, piece: bytes) -> None:
        while piece and not self._inflate.eof:
            try:
                self._left -= len(self._inflate.decompress(piece, 1 << 18))
            except zlib.error:
                raise NotWhole("its pixels cannot be read (damaged)") from None
            if self._left < 0:
                raise NotWhole("it has more pixels than its header announces")
            piece = self._inflate.unconsumed_tail


def _chunks(reader: Reader) -> Iterator[_Chunk]:
    """Yield all chunks.  Raises NotWhole unless ``IEND`` comes last and ends the file."""
    offset, name = len(SIGNATURE), ""
    while name != "IEND":
        head = reader.read(offset, 8, "its next chunk")
        if not head[4:].isalpha():
            raise NotWhole(
                f"there should be a chunk at byte {offset:,}, but there is none (damaged, or zeros)"
            )
        name, end = head[4:].decode("ascii"), offset + 8 + int.from_bytes(head[:4])
        reader.require(end + 4, f"its chunk {name!r}")
        yield _Chunk(name=name, body=offset + 8, end=end)
        offset = end + 4
    if offset != reader.size:
        raise NotWhole(f"it ends at byte {offset:,}, but the file goes on to byte {reader.size:,}")


def _check(reader: Reader, chunk: _Chunk, pixels: _Pixels | None) -> None:
    checksum = zlib.crc32(chunk.name.encode())
    for piece in reader.blocks(chunk.body, chunk.end, "a chunk"):
        checksum = zlib.crc32(piece, checksum)
        if pixels is not None:
            pixels.feed(piece)
    if checksum != int.from_bytes(reader.read(chunk.end, 4, "a checksum")):
        raise NotWhole(f"its chunk {chunk.name!r} at byte {chunk.body - 8:,} is damaged (wrong checksum)")


def _announced(reader: Reader, header: _Chunk) -> int:
    """Return the bytes the header announces: each row of each pass is a filter byte and its pixels."""
    if header.end - header.body != 13:
        raise NotWhole("it is a PNG with a header of the wrong length")
    fields = reader.read(header.body, 13, "its header")
    width, height = int.from_bytes(fields[:4]), int.from_bytes(fields[4:8])
    depth, colour, interlaced = fields[8], fields[9], fields[12]
    if not (width and height and depth and colour in _CHANNELS):
        raise NotWhole(f"it is a PNG of {width} x {height} pixels in colour type {colour}")
    passes = [
        (-(-(width - left) // across), -(-(height - top) // down))
        for left, top, across, down in (_PASSES if interlaced else ((0, 0, 1, 1),))
    ]
    bits = depth * _CHANNELS[colour]
    announced = sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in passes if columns > 0 < rows)
    if announced > MAX_PIXEL_BYTES:
        raise NotWhole(f"it announces {width} x {height} pixels, too many to check")
    return announced
