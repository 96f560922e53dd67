"""Which lines does a CSV file have, and are they text at all?

UTF-8 with or without a mark, UTF-16 with one; any line ends.  Lines are looked at many at a time, so that one
that is fine costs next to nothing; what is wrong with one is known when it is taken.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO, Final

from msgspec import Struct

BLOCK: Final = 2**15  # characters that are looked at together
ANY_BYTES: Final = "surrogateescape"
UNDECODABLE: Final = re.compile("[\ud800-\udfff]")  # what bytes become that are no text


class BadRecord(Struct, frozen=True, kw_only=True):
    """A row that cannot be read, and the line where it goes wrong."""

    line: int
    message: str
    hint: str | None = None


def decoded(stream: BinaryIO) -> TextIOWrapper:
    """Return *stream* as text with its line ends kept; the caller detaches it.

    Bytes that are no text become lone surrogates, which no text has, so that they can be named by line.
    """
    if _first_two(stream) in (BOM_UTF16_LE, BOM_UTF16_BE):
        return TextIOWrapper(stream, encoding="utf-16", errors="surrogatepass", newline="")
    return TextIOWrapper(stream, encoding="utf-8-sig", errors=ANY_BYTES, newline="")


def _first_two(stream: BinaryIO) -> bytes:
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bytes(peek(2)[:2])
    first = stream.read(2)
    stream.seek(0)
    return first


class Lines:
    """The lines of a text for one csv.reader, looked at block by block: a line that is fine costs nothing.

    With each record the caller moves `record` on, to the line it starts on, and forgets what was `bad`.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._is_decodable = text.errors == ANY_BYTES
        self._held: list[str] = []  # the lines from `_first` on, no earlier than the record needs
        self._first = 1
        self._is_cut = False
        self._next: list[str] = []  # lines that were looked at already, and are to be taken one by one
        self.record = 1
        self.bad: BadRecord | None = None
        """What is wrong with a line of the record being read."""
        self.has_quotes = False
        """Whether the record being read may have a quote in it."""

    def first_with_text(self) -> str:
        """Return the first line that is not blank without taking it, and skip those before it."""
        try:
            while (line := self._text.readline()) and line.isspace():
                self._first += 1
        except UnicodeDecodeError:
            line, self._is_cut = "", True
        self._held = [line] if line else []
        self.record = self._first
        return line

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._blocks())

    def whole_block(self) -> list[str] | None:
        """Return the next lines, none of which has anything wrong, where a record begins with the first.

        The caller takes them all with `took`, or leaves them to be taken one by one.
        """
        if self._next or self.record != self._first + len(self._held):
            return None
        self._next = self._read()
        return self._next if self._next and _trouble("".join(self._next)) is None else None

    def took(self, block: list[str]) -> None:
        """Move on behind the *block* that `whole_block` returned."""
        self.record += len(block)
        self._first, self._held, self._next = self.record, [], []

    def taken(self, last: int) -> str:
        """Return the text of the record being read, which ends with the line *last*."""
        return "".join(self._held[self.record - self._first : last + 1 - self._first])

    def _blocks(self) -> Iterator[Iterable[str]]:
        yield self._looked_at(self._held, self._first)
        while block := self._read():
            number = self._first + len(self._held)
            self._held = [*self._held[self.record - self._first :], *block]
            self._first = self.record
            yield self._looked_at(block, number)
        if self._is_cut:
            line = self._first + len(self._held)
            self.bad = BadRecord(line=line, message="bytes that are not UTF-16", hint=SAVE_AS)

    def _read(self) -> list[str]:
        """Return the next lines: none at the end of the text, or where it cannot be decoded any further."""
        if self._next:
            seen, self._next = self._next, []
            return seen
        if self._is_decodable:
            return self._text.readlines(BLOCK)
        block: list[str] = []
        size = 0
        try:
            while size < BLOCK and not self._is_cut and (line := self._text.readline()):
                block.append(line)
                size += len(line)
        except UnicodeDecodeError:
            self._is_cut = True
        return block

    def _looked_at(self, block: list[str], number: int) -> Iterable[str]:
        """Return *block*, whose first line has that *number*; where something is wrong, line by line."""
        text = "".join(block)
        self.has_quotes = '"' in text
        return block if _trouble(text) is None else self._watched(block, number)

    def _watched(self, block: list[str], number: int) -> Iterator[str]:
        for at, line in enumerate(block, number):
            trouble = _trouble(line)
            if trouble is not None:
                self.bad = BadRecord(line=at, message=trouble[0], hint=trouble[1])
            yield line


SAVE_AS: Final = "save the file as CSV UTF-8"


def _trouble(text: str) -> tuple[str, str] | None:
    """Return what is wrong with the characters of *text* and a hint, None when nothing is."""
    if "\0" in text:
        return "a NUL byte", "is this a text file?"
    if not text.isascii() and UNDECODABLE.search(text):
        return "bytes that are not UTF-8", SAVE_AS
    return None
