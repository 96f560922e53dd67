"""Is this MP4 or QuickTime film whole?

Its boxes add up to the file's length; an index is there; every frame the index names lies in the media
data; the units of each H.264 or H.265 frame add up to its size; the last frames and the end of the index are
not zeros.

Not seen: a changed bit inside a frame; a fragmented film cut exactly between two fragments (each is whole);
bytes behind media data that is declared to go on to the end of the file; zeros over the last frames of a
sound coding that may end so (PCM, MP3, Opus).
"""

from __future__ import annotations

from typing import Final

from .boxes import Box, field, top_boxes
from .fragments import check_fragments
from .frames import TAIL, Frames
from .reader import Reader
from .sample_table import check_sample_table
from .tracks import read_tracks
from .verdict import Kind, Media, NotWhole

MAX_TOP_BOXES: Final = 200_000
"""Two a fragment: a film of a day in fragments of a second."""

_PICTURES: Final = {"avif": ".avif", "heic": ".heic", "heix": ".heic", "mif1": ".heic"}
"""Brands of pictures in boxes, of which only the boxes are checked."""

_QUICKTIME: Final = frozenset({"qt  ", ""})  # files older than brands have none

_INDEX: Final = frozenset({"moov", "moof", "mfra", "sidx"})


def is_mp4(head: bytes) -> bool:
    """Whether a file with these first bytes claims to be MP4 or QuickTime."""
    return head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def examine_mp4(reader: Reader) -> Media:
    """Raises NotWhole."""
    found = _top(reader)
    brand = _brand(reader, found[0])
    moovs = [box for box in found if box.name == "moov"]
    if not moovs and brand in _PICTURES and any(box.name == "meta" for box in found):
        return Media(kind=Kind.IMAGE, extension=_PICTURES[brand])
    if not moovs:
        raise NotWhole("it has no index (no box 'moov'), as a film that was cut off")
    tracks = read_tracks(reader, moovs[0])
    frames = Frames(reader, [box for box in found if box.name == "mdat"])
    for track in tracks:
        check_sample_table(reader, track, frames)
    check_fragments(reader, moovs[0], [box for box in found if box.name == "moof"], tracks, frames)
    frames.check_ends(tracks)
    _check_index_end(reader, found[-1])
    return _media(frames.handlers, is_quicktime=brand in _QUICKTIME)


def _top(reader: Reader) -> list[Box]:
    found: list[Box] = []
    for box in top_boxes(reader):
        found.append(box)
        if len(found) > MAX_TOP_BOXES:
            raise NotWhole("it consists of more boxes than a real film has")
    return found


def _check_index_end(reader: Reader, last: Box) -> None:
    """Refuse an index that ends in zeros: last in it are offsets, counts or text, never that many zeros."""
    if last.name in _INDEX and reader.is_zero(max(last.body, last.end - TAIL), last.end, "its index"):
        raise NotWhole(f"its index ends in zeros (box {last.name!r} at byte {last.start:,})")


def _media(handlers: set[str], *, is_quicktime: bool) -> Media:
    if "vide" in handlers:
        return Media(kind=Kind.VIDEO, extension=".mov" if is_quicktime else ".mp4")
    if "soun" in handlers:
        return Media(kind=Kind.AUDIO, extension=".m4a")
    raise NotWhole("it is an MP4 without a single frame")


def _brand(reader: Reader, first: Box) -> str:
    return field(reader, first, 0).to_bytes(4).decode("latin-1") if first.name == "ftyp" else ""
