"""Where does a fragmented MP4 say its frames are?

Each ``moof`` names runs of frames (``trun``) for its tracks, with defaults in ``tfhd`` and, for the whole
film, in ``mvex/trex`` (ISO/IEC 14496-12, 8.8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import repeat
from typing import Final

from msgspec import Struct

from .boxes import Box, boxes, child, field
from .frames import Frames
from .reader import Reader
from .tracks import Track
from .verdict import NotWhole

# Flags of tfhd and trun, by the names of the standard.
_BASE_DATA_OFFSET: Final = 0x01
_DESCRIPTION_INDEX: Final = 0x02
_DEFAULT_DURATION: Final = 0x08
_DEFAULT_SIZE: Final = 0x10
_BASE_IS_MOOF: Final = 0x02_0000
_DATA_OFFSET: Final = 0x001
_FIRST_FLAGS: Final = 0x004
_DURATION: Final = 0x100
_SIZE: Final = 0x200
_PER_FRAME: Final = (_DURATION, _SIZE, 0x400, 0x800)


class _Header(Struct, frozen=True, kw_only=True):
    """What ``tfhd`` says of a track in one fragment."""

    track_id: int
    base: int | None
    """Where its data offsets count from, where it says so."""
    size: int
    """The size of frames whose run does not say it."""


def check_fragments(reader: Reader, moov: Box, moofs: list[Box], tracks: list[Track], frames: Frames) -> None:
    """Hand every run of every fragment to *frames*."""
    defaults = _default_sizes(reader, moov)
    by_id = {track.id: track for track in tracks}
    for moof in moofs:
        end = moof.start
        for number, traf in enumerate(box for box in boxes(reader, moof) if box.name == "traf"):
            header = _header(reader, traf, moof, defaults)
            base = header.base if header.base is not None else (end if number else moof.start)
            if header.track_id not in by_id:
                raise NotWhole(f"its fragment at byte {moof.start:,} is of a track that does not exist")
            end = _check_runs(reader, traf, header, base, by_id[header.track_id], frames)


def _default_sizes(reader: Reader, moov: Box) -> dict[int, int]:
    mvex = child(reader, moov, "mvex")
    trexes = [box for box in boxes(reader, mvex) if box.name == "trex"] if mvex else []
    return {field(reader, trex, 4): field(reader, trex, 16) for trex in trexes}


def _header(reader: Reader, traf: Box, moof: Box, defaults: dict[int, int]) -> _Header:
    tfhd = child(reader, traf, "tfhd")
    if tfhd is None:
        raise NotWhole(f"its fragment at byte {moof.start:,} does not say whose it is")
    flags, track_id = field(reader, tfhd, 1, 3), field(reader, tfhd, 4)
    base = field(reader, tfhd, 8, 8) if flags & _BASE_DATA_OFFSET else None
    if base is None and flags & _BASE_IS_MOOF:
        base = moof.start
    at = (
        8
        + 8 * bool(flags & _BASE_DATA_OFFSET)
        + 4 * bool(flags & _DESCRIPTION_INDEX)
        + 4 * bool(flags & _DEFAULT_DURATION)
    )
    size = field(reader, tfhd, at) if flags & _DEFAULT_SIZE else defaults.get(track_id, 0)
    return _Header(track_id=track_id, base=base, size=size)


def _check_runs(reader: Reader, traf: Box, header: _Header, base: int, track: Track, frames: Frames) -> int:
    """Check the runs of one track in one fragment; return where its data ends."""
    end = base
    for trun in (box for box in boxes(reader, traf) if box.name == "trun"):
        flags, count = field(reader, trun, 1, 3), field(reader, trun, 4)
        start = base + _signed(field(reader, trun, 8)) if flags & _DATA_OFFSET else end
        end = frames.add(track, start, _sizes(reader, trun, flags, count, header.size))
    return end


def _sizes(reader: Reader, trun: Box, flags: int, count: int, default: int) -> Iterator[int]:
    if not flags & _SIZE:
        if default * count > reader.size:
            raise NotWhole(f"its fragment at byte {trun.start:,} announces more than the file has")
        return repeat(default, count if default else 0)
    columns = sum(bool(flags & flag) for flag in _PER_FRAME)
    start = trun.body + 8 + 4 * bool(flags & _DATA_OFFSET) + 4 * bool(flags & _FIRST_FLAGS)
    if start + 4 * columns * count > trun.end:
        raise NotWhole(f"its fragment at byte {trun.start:,} announces {count:,} frames, more than it lists")
    column = int(bool(flags & _DURATION))
    entries = reader.entries(f">{columns}I", start, count, "its box 'trun'")
    return (entry[column] for entry in entries)


def _signed(number: int) -> int:
    return int(struct.unpack(">i", number.to_bytes(4))[0])
