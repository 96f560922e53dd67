"""Is this GIF whole?

Its blocks are walked to the trailer (GIF89a specification).  Bytes behind the trailer are allowed, some
encoders leave one.  Damage inside a block is not seen.
"""

from __future__ import annotations

from typing import Final

from .reader import Reader
from .verdict import Kind, Media, NotWhole

SIGNATURES: Final = (b"GIF87a", b"GIF89a")

_EXTENSION: Final = 0x21
_IMAGE: Final = 0x2C
_TRAILER: Final = 0x3B


def examine_gif(reader: Reader) -> Media:
    """Raises NotWhole."""
    offset = 13 + _colours(reader, 10)
    images = 0
    while (kind := reader.read(offset, 1, "the picture")[0]) != _TRAILER:
        if kind == _EXTENSION:
            offset = _after_blocks(reader, offset + 2)
        elif kind == _IMAGE:
            images += 1
            offset = _after_image(reader, offset)
        else:
            raise NotWhole(
                f"there should be a block at byte {offset:,}, but there is none (damaged, or zeros)"
            )
    if not images:
        raise NotWhole("it is a GIF without a picture")
    return Media(kind=Kind.IMAGE, extension=".gif")


def _after_image(reader: Reader, offset: int) -> int:
    size = reader.read(offset + 5, 4, "a picture's size")
    if not (any(size[:2]) and any(size[2:])):
        raise NotWhole("it is a GIF without a size")
    data = offset + 10 + _colours(reader, offset + 9)
    if not 2 <= reader.read(data, 1, "the picture")[0] <= 11:  # bits of a code, less one
        raise NotWhole(f"its picture at byte {offset:,} is damaged")
    return _after_blocks(reader, data + 1)


def _colours(reader: Reader, offset: int) -> int:
    """Return the bytes of the colour table that the flags at *offset* announce."""
    flags = reader.read(offset, 1, "its header")[0]
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(reader: Reader, offset: int) -> int:
    """Walk data blocks, each with its length in one byte, to the empty one that ends them."""
    while length := reader.read(offset, 1, "the picture")[0]:
        offset += 1 + length
    return offset + 1
