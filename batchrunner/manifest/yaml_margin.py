"""Which line of a YAML file is the last one that begins at its left margin?

What follows it belongs to it: when it is the line of ``jobs:``, nothing else can stand behind the jobs.
Blank lines, comments and the dashes of a list do not count.
"""

from __future__ import annotations

import re
from collections import deque
from typing import BinaryIO, Final

BLOCK: Final = 2**16  # bytes that are looked at together

AT_MARGIN: Final = re.compile(rb"\n(?:[^ \t\r\n#-]|-[^ \t\r\n])")
BREAKS: Final = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")  # NEL, LS and PS end a line in YAML 1.1


def last_line_at_margin(stream: BinaryIO) -> int | None:
    """Return the number of that line, from 1; None where there is none, or lines do not end as usual."""
    found, line = None, 1
    while block := stream.read(BLOCK) + stream.readline():  # whole lines
        if _has_other_breaks(block):
            return None
        last = deque(AT_MARGIN.finditer(b"\n" + block), maxlen=1)
        if last:
            found = line + block.count(b"\n", 0, last[0].start())
        line += block.count(b"\n")
    return found


def _has_other_breaks(block: bytes) -> bool:
    """Return whether the lines of *block* may be others to YAML: a lone CR, Unicode's breaks, UTF-16."""
    is_lone = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
    return is_lone or b"\0" in block or (not block.isascii() and any(each in block for each in BREAKS))
