"""Where does a track's sample table say its frames are?

Three tables together (ISO/IEC 14496-12, 8.7): sizes of frames (``stsz``, ``stz2``), frames per chunk
(``stsc``), offsets of chunks (``stco``, ``co64``).  They are read side by side, a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, pairwise, repeat

from .boxes import Box, Inside, field
from .frames import Frames
from .reader import Reader
from .tracks import Track
from .verdict import NotWhole


def check_sample_table(reader: Reader, track: Track, frames: Frames) -> None:
    """Hand every chunk of *track* to *frames*.  Raises NotWhole if the tables disagree."""
    size, count = _size_and_count(reader, track.table)
    offsets, chunk_count = _chunk_offsets(reader, track.table)
    per_chunk = _frames_per_chunk(reader, track.table, chunk_count)
    by_arithmetic = size > 0 and track.nal_length is None
    sizes = _sizes(reader, track.table, size, count)
    for offset, wanted in zip(offsets, per_chunk, strict=False):
        taken = min(wanted, count)
        if by_arithmetic:
            frames.add_equal(track, offset, size, taken)
        else:
            frames.add(track, offset, islice(sizes, taken))
        count -= taken
    if count:
        raise NotWhole(f"its index lists {count:,} frames that lie nowhere")


def _size_and_count(reader: Reader, table: Inside) -> tuple[int, int]:
    """Return the size all frames share (0: each has its own) and how many there are."""
    if (stsz := table.get("stsz")) is not None:
        return field(reader, stsz, 4), field(reader, stsz, 8)
    if (stz2 := table.get("stz2")) is not None:
        return 0, field(reader, stz2, 8)
    return 0, 0


def _sizes(reader: Reader, table: Inside, size: int, count: int) -> Iterator[int]:
    if size:
        return repeat(size, count)
    if (stsz := table.get("stsz")) is not None:
        return (entry[0] for entry in _entries(reader, stsz, ">I", 12, count))
    if (stz2 := table.get("stz2")) is not None:
        return _compact_sizes(reader, stz2, count)
    return iter(())


def _compact_sizes(reader: Reader, stz2: Box, count: int) -> Iterator[int]:
    """Sizes of 16, 8 or 4 bits each."""
    bits = field(reader, stz2, 7, 1)
    if bits == 4:
        pairs = _entries(reader, stz2, ">B", 12, (count + 1) // 2)
        return chain.from_iterable((pair[0] >> 4, pair[0] & 15) for pair in pairs)
    if bits not in {8, 16}:
        raise NotWhole(f"its index has frame sizes of {bits} bits, which do not exist")
    return (entry[0] for entry in _entries(reader, stz2, ">H" if bits == 16 else ">B", 12, count))


def _chunk_offsets(reader: Reader, table: Inside) -> tuple[Iterator[int], int]:
    for name, layout in (("stco", ">I"), ("co64", ">Q")):
        if (box := table.get(name)) is not None:
            count = field(reader, box, 4)
            return (entry[0] for entry in _entries(reader, box, layout, 8, count)), count
    return iter(()), 0


def _frames_per_chunk(reader: Reader, table: Inside, chunk_count: int) -> Iterator[int]:
    """Yield one number a chunk; the table has an entry only where the number changes.

    A table out of order yields too few, and frames are left over.
    """
    stsc = table.get("stsc")
    if stsc is None:
        return
    runs = _entries(reader, stsc, ">III", 8, field(reader, stsc, 4))
    for (first, frames, _), (following, *_) in pairwise(chain(runs, [(chunk_count + 1, 0, 0)])):
        yield from repeat(frames, following - first)


def _entries(reader: Reader, box: Box, layout: str, skip: int, count: int) -> Iterator[tuple[int, ...]]:
    width = {">B": 1, ">H": 2, ">I": 4, ">Q": 8, ">III": 12}[layout]
    if box.body + skip + count * width > box.end:
        raise NotWhole(f"its index announces {count:,} entries in {box.name!r}, more than it holds")
    return reader.entries(layout, box.body + skip, count, f"its box {box.name!r}")
