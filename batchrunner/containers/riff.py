"""Is this WebP picture or WAV sound whole?

Both are RIFF: chunks, each with its length, that add up to the file's.  Damage inside a chunk is not seen.
WebP: RFC 9649.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .reader import Reader
from .verdict import Kind, Media, NotWhole

_HEADER: Final = 12  # "RIFF", a length, and the format's name


def examine_riff(reader: Reader) -> Media:
    """Raises NotWhole."""
    head = reader.read(0, _HEADER, "its header")
    end = 8 + int.from_bytes(head[4:8], "little")
    reader.require(end, "it")
    if reader.size > end + end % 2:
        raise NotWhole(f"it ends at byte {end:,}, but the file goes on to byte {reader.size:,}")
    chunks = {name: (start, stop) for name, start, stop in _chunks(reader, _HEADER, end)}
    match head[8:]:
        case b"WEBP":
            _check_webp(reader, chunks)
            return Media(kind=Kind.IMAGE, extension=".webp")
        case b"WAVE" if {b"fmt ", b"data"} <= chunks.keys():
            return Media(kind=Kind.AUDIO, extension=".wav")
        case other:
            raise NotWhole(
                f"it is a RIFF file of another kind ({other.decode('latin-1')!r}), or lacks its data"
            )


def _chunks(reader: Reader, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, and where its content begins and ends."""
    while start < end:
        head = reader.read(start, 8, "its next chunk")
        stop = start + 8 + int.from_bytes(head[4:], "little")
        if stop > end or not head[:4].isascii() or 0 in head[:4]:
            raise NotWhole(f"its chunk at byte {start:,} is damaged or longer than the file")
        yield head[:4], start + 8, stop
        start = stop + stop % 2


def _check_webp(reader: Reader, chunks: dict[bytes, tuple[int, int]]) -> None:
    if b"ANMF" in chunks:  # the last frame of an animation, after 16 bytes of its own
        start, stop = chunks[b"ANMF"]
        chunks = {name: (begin, end) for name, begin, end in _chunks(reader, start + 16, stop)}
    if b"VP8 " in chunks:
        _check_lossy(reader, *chunks[b"VP8 "])
    elif b"VP8L" in chunks:
        if reader.read(chunks[b"VP8L"][0], 1, "the picture") != b"\x2f":
            raise NotWhole("it is a WebP whose picture is damaged")
    else:
        raise NotWhole("it is a WebP without a picture")


def _check_lossy(reader: Reader, start: int, stop: int) -> None:
    """Check a key frame's header (RFC 6386, 9.1): its start code, size, and the length of its first part."""
    head = reader.read(start, 10, "the picture")
    first_part = int.from_bytes(head[:3], "little") >> 5
    size = int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:], "little") & 0x3FFF
    if head[3:6] != b"\x9d\x01\x2a" or not all(size) or start + 10 + first_part > stop:
        raise NotWhole("it is a WebP whose picture is damaged")
