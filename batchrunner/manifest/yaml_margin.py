"""What does a look at a YAML file tell before it is read?

Which line is the last one that begins at the left margin: what follows it belongs to it, and when it is the
line of ``jobs:``, nothing else can stand behind the jobs.  Blank lines, comments and the dashes of a list do
not count.  And whether lines and characters are the usual ones, so that no reader can take offence at one.
"""

from __future__ import annotations

import re
from collections import deque
from typing import BinaryIO, Final

from msgspec import Struct

BLOCK: Final = 2**16  # bytes that are looked at together

AT_MARGIN: Final = re.compile(rb"\n(?:[^ \t\r\n#-]|-[^ \t\r\n])")
BREAKS: Final = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")  # NEL, LS and PS end a line in YAML 1.1


CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\r"))
UNREADABLE: Final = re.compile("[\x80-\x84\x86-\x9f\ufffe\uffff]")


class Look(Struct, frozen=True, kw_only=True):
    """What is known of a file before it is read."""

    last_at_margin: int | None
    """That line, from 1; None where there is none, or lines do not end as usual."""
    is_usual: bool
    """Whether all lines end as usual, and all characters may stand in YAML."""


def look_at(stream: BinaryIO) -> Look:
    """Look at a whole file."""
    found, line, is_usual = None, 1, True
    while block := stream.read(BLOCK) + stream.readline():  # whole lines
        if _has_other_breaks(block):
            return Look(last_at_margin=None, is_usual=False)
        is_usual = is_usual and _is_readable(block)
        last = deque(AT_MARGIN.finditer(b"\n" + block), maxlen=1)
        if last:
            found = line + block.count(b"\n", 0, last[0].start())
        line += block.count(b"\n")
    return Look(last_at_margin=found, is_usual=is_usual)


def _has_other_breaks(block: bytes) -> bool:
    """Return whether the lines of *block* may be others to YAML: a lone CR, Unicode's breaks, UTF-16."""
    is_lone = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
    return is_lone or b"\0" in block or (not block.isascii() and any(each in block for each in BREAKS))


def _is_readable(block: bytes) -> bool:
    """Return whether every character of *block* may stand in YAML."""
    if len(block.translate(None, CONTROLS)) < len(block):
        return False
    if block.isascii():
        return True
    try:
        return not UNREADABLE.search(block.decode())
    except UnicodeDecodeError:
        return False
