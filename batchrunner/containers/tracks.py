"""Which tracks does an MP4 or QuickTime film have, and how are their frames coded?

Reads ``moov/trak`` (ISO/IEC 14496-12, section 8) as far as it takes to find and check the frames' bytes.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from .boxes import Box, Inside, boxes, child, field
from .reader import Reader
from .verdict import NotWhole

# Where a sample description keeps the width of the length before each NAL unit (ISO/IEC 14496-15, 5.3.3 and
# 8.3.3): the box, and the offset of the byte whose two lowest bits say it, less one.
_NAL_LENGTH: Final = {
    **dict.fromkeys(("avc1", "avc3", "dva1", "dvav"), ("avcC", 4)),
    **dict.fromkeys(("hvc1", "hev1", "dvh1", "dvhe"), ("hvcC", 21)),
}

_NEVER_ENDS_IN_ZEROS: Final = frozenset(_NAL_LENGTH) | {"av01", "vp08", "vp09", "mp4v"}

_AAC: Final = frozenset({0x40, 0x66, 0x67, 0x68})  # object types of MPEG-4 and MPEG-2 AAC (mp4ra.org)

_VISUAL_FIELDS: Final = 78  # bytes of a VisualSampleEntry before its boxes
_AUDIO_FIELDS: Final = 28  # bytes of an AudioSampleEntry before its boxes
_QUICKTIME_FIELDS: Final = {1: 16, 2: 36}  # more of them in QuickTime's versions 1 and 2


class Track(Struct, frozen=True, kw_only=True):
    """One track: pictures, sound, or something beside them."""

    id: int
    handler: str
    """``vide``, ``soun``, or another word of four letters."""
    table: Inside
    """Its ``stbl``: where the frames are, unless they are in fragments."""
    nal_length: int | None
    """Bytes of the length before each unit of a frame (H.264, H.265); None for other codings."""
    is_dense: bool
    """Whether no frame of this coding ends in a row of zero bytes."""


def read_tracks(reader: Reader, moov: Box) -> list[Track]:
    """Return the tracks in the index.  Raises NotWhole if one lacks what it needs."""
    return [_track(reader, trak) for trak in boxes(reader, moov) if trak.name == "trak"]


def _track(reader: Reader, trak: Box) -> Track:
    track = Inside(reader, trak)
    header, media = track.need("tkhd"), track.within("mdia")
    handler, table = media.need("hdlr"), media.within("minf").within("stbl")
    entry = next(boxes(reader, table.need("stsd"), skip=8), None)
    return Track(
        id=field(reader, header, 20 if field(reader, header, 0, 1) == 1 else 12),
        handler=_name(field(reader, handler, 8)),
        table=table,
        nal_length=_nal_length(reader, entry) if entry else None,
        is_dense=entry is not None and (entry.name in _NEVER_ENDS_IN_ZEROS or _is_aac(reader, entry)),
    )


def _name(number: int) -> str:
    return number.to_bytes(4).decode("latin-1")


def _nal_length(reader: Reader, entry: Box) -> int | None:
    if entry.name not in _NAL_LENGTH:
        return None
    name, offset = _NAL_LENGTH[entry.name]
    setup = next((box for box in boxes(reader, entry, skip=_VISUAL_FIELDS) if box.name == name), None)
    return None if setup is None else (field(reader, setup, offset, 1) & 3) + 1


def _is_aac(reader: Reader, entry: Box) -> bool:
    """Whether a sound entry holds AAC; ``mp4a`` alone can be MP3 too, whose silence may be zeros.

    An entry we cannot read is taken for another coding: then less is checked, and nothing refused for it.
    """
    if entry.name != "mp4a":
        return False
    try:
        skip = _AUDIO_FIELDS + _QUICKTIME_FIELDS.get(field(reader, entry, 8, 2), 0)
        inside = {box.name: box for box in boxes(reader, entry, skip=skip)}
        setup = child(reader, inside["wave"], "esds") if "wave" in inside else inside.get("esds")
        return setup is not None and _object_type(reader, setup) in _AAC
    except NotWhole:
        return False


def _object_type(reader: Reader, esds: Box) -> int | None:
    """Return the coding an ``esds`` box names (ISO/IEC 14496-1, 7.2.6.5 and 7.2.6.6)."""
    body = reader.read(esds.body, min(esds.end - esds.body, 64), "its box 'esds'")
    tag, stream = _descriptor(body[4:])
    tag_inside, config = _descriptor(stream[3:])
    return config[0] if (tag, tag_inside) == (3, 4) and config else None


def _descriptor(data: bytes) -> tuple[int, bytes]:
    """Return the tag of a descriptor and what follows its length, which takes one to four bytes."""
    width = next((n for n in range(1, 5) if data[n : n + 1] < b"\x80"), 4)
    return (data[0] if data else 0), data[1 + width :]
