"""Small real pictures, made of a few bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

RED = (255, 0, 0)
BLUE = (0, 0, 255)

# The smallest whole JPEG there is, one grey pixel.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc2000b080001000101011100ffc40014000100000000000000000000000000000003"
    "ffda0008010100013f47ffd9"
)


def png(colour: tuple[int, int, int] = RED) -> bytes:
    """One pixel as a whole PNG."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + bytes(colour))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def a_picture(path: Path, content: bytes | None = None) -> Path:
    """Put a picture at *path*, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png() if content is None else content)
    return path
