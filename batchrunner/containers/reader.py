"""How are a few bytes of a file of any size read, without trusting what it says about itself?

Every read lies inside the file, or the file is not whole.  Memory stays flat whatever a length field
claims, and the number of reads is bounded, so that a hostile file ends in NotWhole, not in an endless walk.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

from .verdict import NotWhole

BLOCK: Final = 65_536
"""Bytes read at once where many are looked at."""

NEAR: Final = 8_192
"""Bytes read at once where few are looked at: what comes next mostly lies near."""

MAX_READS: Final = 5_000_000
"""A two-hour film has about a tenth of these boxes, blocks and frames; reading them takes some seconds."""


class Reader:
    """A file read by offset."""

    def __init__(self, file: BinaryIO, *, max_reads: int = MAX_READS) -> None:
        self._file = file
        self._reads_left = max_reads
        self._near, self._near_at = b"", 0
        self.size = os.fstat(file.fileno()).st_size

    def read(self, offset: int, length: int, what: str) -> bytes:
        """Return exactly *length* bytes.  Raises NotWhole, naming *what*, if the file ends before."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise NotWhole("it consists of more pieces than a real file has")
        start = offset - self._near_at
        if start < 0 or start + length > len(self._near):
            self.require(offset + length, what)
            self._file.seek(offset)
            self._near, self._near_at, start = self._file.read(max(length, NEAR)), offset, 0
            if length > len(self._near):
                raise NotWhole("it became shorter while it was read")
        return self._near[start : start + length]

    def require(self, end: int, what: str) -> None:
        """Raises NotWhole, naming *what*, if the file ends before *end*."""
        if end > self.size:
            raise NotWhole(f"{what} goes on to byte {end:,}, the file ends at byte {self.size:,}")

    def blocks(self, start: int, end: int, what: str, *, block: int = BLOCK) -> Iterator[bytes]:
        """Yield the bytes from *start* to *end* in pieces of *block*."""
        self.require(end, what)
        for offset in range(start, end, block):
            yield self.read(offset, min(block, end - offset), what)

    def entries(self, layout: str, start: int, count: int, what: str) -> Iterator[tuple[int, ...]]:
        """Yield *count* entries of a table that begins at *start*, each unpacked by the struct *layout*."""
        width = struct.calcsize(layout)
        pieces = self.blocks(start, start + count * width, what, block=width * (BLOCK // width))
        return chain.from_iterable(struct.iter_unpack(layout, piece) for piece in pieces)

    def is_zero(self, start: int, end: int, what: str) -> bool:
        """Whether there are bytes from *start* to *end*, and all are zero."""
        return start < end and not any(any(piece) for piece in self.blocks(start, end, what))
