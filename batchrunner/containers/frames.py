"""Do the frames an MP4's index names really lie in the file, and do they look like frames?

`Frames` is told of every run of frames (a chunk, or a fragment's run) and refuses the first that cannot be:
outside the media data, or with units that do not add up, as a hole of zeros leaves them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from .boxes import Box
from .reader import Reader
from .tracks import Track
from .verdict import NotWhole

TAIL: Final = 16
"""Zero bytes in a row that no coding we call dense ends with."""


class Frames:
    """The frames seen so far, over all tracks of a film."""

    def __init__(self, reader: Reader, media_data: list[Box]) -> None:
        self._reader = reader
        self._media_data = media_data  # in the order of the file
        self._starts = [box.body for box in media_data]
        self._bytes_left = reader.size
        self._last: dict[int, tuple[int, int]] = {}  # track id -> the run that ends furthest behind
        self.handlers: set[str] = set()
        """``vide`` and ``soun``, as far as there were frames of them."""

    def add(self, track: Track, start: int, sizes: Iterable[int]) -> int:
        """Check frames of *sizes* that lie one behind the other from *start*; return where they end."""
        end = inside = start
        for size in sizes:
            begin, end = end, end + size
            self._claim(size)
            if track.nal_length is not None and size:
                if end > inside:
                    inside = self._check_inside(begin, end)
                self._check_units(begin, end, track.nal_length)
        self._note(track, start, end)
        return end

    def add_equal(self, track: Track, start: int, size: int, count: int) -> None:
        """Check *count* frames of one *size* without looking at each: uncompressed sound has millions."""
        self._claim(size * count)
        self._note(track, start, start + size * count)

    def check_ends(self, tracks: list[Track]) -> None:
        """Refuse a film whose last frames are zeros, as a file reserved and not filled ends."""
        for track in tracks:
            start, end = self._last.get(track.id, (0, 0))
            if track.is_dense and self._reader.is_zero(max(start, end - TAIL), end, "a frame"):
                raise NotWhole(f"its last frames are zeros (up to byte {end:,})")

    def _note(self, track: Track, start: int, end: int) -> None:
        if start == end:
            return
        self._check_inside(start, end)
        self.handlers.add(track.handler)
        if end > self._last.get(track.id, (0, 0))[1]:
            self._last[track.id] = (start, end)

    def _claim(self, size: int) -> None:
        # No honest index names a byte twice; a hostile one could have the same bytes looked at for ever.
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise NotWhole("its index names more bytes of frames than the file has")

    def _check_inside(self, start: int, end: int) -> int:
        """Return where the media data ends that holds these bytes.  Raises NotWhole where none does."""
        self._reader.require(end, "a frame in its index")
        at = bisect_right(self._starts, start) - 1
        if at < 0 or end > self._media_data[at].end:
            raise NotWhole(
                f"its index names frames at bytes {start:,} to {end:,}, where there is no media data"
            )
        return self._media_data[at].end

    def _check_units(self, start: int, end: int, width: int) -> None:
        """Walk the units of one frame: each has its length before it, and they fill the frame exactly."""
        offset = start
        while offset < end:
            length = int.from_bytes(self._reader.read(offset, width, "a frame in its index"))
            offset += width + length
            if length == 0 or offset > end:
                raise NotWhole(f"the frame at byte {start:,} is damaged: its units do not add up to its size")
