"""Is this file a whole film or picture, and of which kind?

`examine` looks at the bytes, never at a name or a header of the answer.  Files are read by seeking, in small
pieces: a film of two gigabytes takes no more memory than one of two.  "Whole" means: the container adds up
to the file's length and holds what its index names.  It does not mean that every pixel is right; what each
format cannot show is said at the top of its file.

Written here because no light, maintained library answers this: some recognise a kind by its first bytes and
look no further, PyAV reads a cut film up to the cut without an error.
"""

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
from .verdict import Kind, Media, NotWhole

__all__ = ["Kind", "Media", "NotWhole", "examine"]

_BY_FIRST_BYTES: Final = (
    (b"\x1a\x45\xdf\xa3", examine_matroska),
    (PNG, examine_png),
    (b"\xff\xd8\xff", examine_jpeg),
    (b"RIFF", examine_riff),
    *((signature, examine_gif) for signature in GIF),
)


def examine(path: Path) -> Media:
    """Return what the whole file at *path* is.

    Raises NotWhole with the reason if it is not whole or of no kind we know, OSError if it cannot be read.
    """
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
