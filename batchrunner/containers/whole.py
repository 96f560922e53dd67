"""Which reader is for this file?  By its first bytes, never by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .gif import SIGNATURES as GIF
from .gif import examine_gif
from .jpeg import examine_jpeg
from .matroska import examine_matroska
from .mp4 import examine_mp4, is_mp4
from .png import SIGNATURE as PNG
from .png import examine_png
from .reader import Reader
from .riff import examine_riff
from .strangers import LOOKED_AT, describe
from .verdict import Media, NotWhole

_BY_FIRST_BYTES: Final = (
    (b"\x1a\x45\xdf\xa3", examine_matroska),
    (PNG, examine_png),
    (b"\xff\xd8\xff", examine_jpeg),
    (b"RIFF", examine_riff),
    *((signature, examine_gif) for signature in GIF),
)


def examine(path: Path) -> Media:
    """See `batchrunner.containers.examine`."""
    with path.open("rb") as file:
        reader = Reader(file)
        head = reader.read(0, min(reader.size, LOOKED_AT), "it")
        if not head:
            raise NotWhole("it is empty")
        if is_mp4(head):
            return examine_mp4(reader)
        for first, examine_format in _BY_FIRST_BYTES:
            if head.startswith(first):
                return examine_format(reader)
        raise NotWhole(describe(head))
