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

from .verdict import Kind, Media, NotWhole

__all__ = ["Kind", "Media", "NotWhole", "examine"]


def examine(path: Path) -> Media:
    """Return what the whole file at *path* is.

    Raises NotWhole with the reason if it is not whole or of no kind we know, OSError if it cannot be read.
    """
    from . import whole  # the readers of all formats: a run needs none before its first film

    return whole.examine(path)
