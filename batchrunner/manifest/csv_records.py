"""How does CSV text fall into records, each with the line it starts on?

UTF-8 with or without a mark, UTF-16 with one; commas, semicolons or tabs, told from the header row; any line
ends, also inside quotes.  Quoting is strict: a stray quote would swallow rows unseen.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO, Final

MAX_CELL: Final = 16 * 2**20  # characters; the standard library's own limit, 131,072, is soon met

DELIMITERS: Final = (",", ";", "\t")  # the earlier one wins a tie
UNDECODABLE: Final = re.compile("[\ud800-\udfff]")  # what bytes become that are no text
QUOTED: Final = re.compile(r'"[^"]*(?:"|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The cells of one row, and the line it starts on."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRecord:
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
    return TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _first_two(stream: BinaryIO) -> bytes:
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bytes(peek(2)[:2])
    first = stream.read(2)
    stream.seek(0)
    return first


class Lines(Iterator[str]):
    """The lines of a text, counted; `taken` are those of the record being read, `bad` what is wrong in it."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._held: str | None = None
        self._is_cut = False
        self.number = 0
        self.taken: list[str] = []
        self.bad: BadRecord | None = None

    def first_with_text(self) -> str:
        """Return the first line that is not blank without taking it, and skip those before it."""
        try:
            while (line := self._text.readline()) and line.isspace():
                self.number += 1
        except UnicodeDecodeError:
            line = ""  # reported when it is taken
        self._held = line
        return line

    def start_record(self) -> None:
        """Forget the record before."""
        self.taken.clear()
        self.bad = None

    def __next__(self) -> str:
        line, self._held = self._held or self._readline(), None
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        if "\0" in line:
            self.bad = BadRecord(line=self.number, message="a NUL byte", hint="is this a text file?")
        elif not line.isascii() and UNDECODABLE.search(line):
            self.bad = BadRecord(line=self.number, message="bytes that are not UTF-8", hint=SAVE_AS)
        return line

    def _readline(self) -> str:
        if self._is_cut:
            return ""
        try:
            return self._text.readline()
        except UnicodeDecodeError:
            self._is_cut = True
            self.bad = BadRecord(line=self.number + 1, message="bytes that are not UTF-16", hint=SAVE_AS)
            return ""


SAVE_AS: Final = "save the file as CSV UTF-8"


class Records(Iterator[Record | BadRecord]):
    """The records of a text that hold anything; after a bad one the next line begins a new one."""

    def __init__(self, text: TextIOWrapper, delimiter: str | None = None) -> None:
        csv.field_size_limit(MAX_CELL)  # the standard library knows one limit for the whole process
        self._lines = Lines(text)
        delimiter = delimiter or sniffed(self._lines.first_with_text())
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        cell = rf'(?:"[^"]*(?:""[^"]*)*"|[^"{delimiter}]*)'
        self._strictly = re.compile(rf"{cell}(?:{delimiter}{cell})*[\r\n]*")

    def __next__(self) -> Record | BadRecord:
        while True:
            self._lines.start_record()
            try:
                cells = next(self._reader)
            except csv.Error as error:
                return self._lines.bad or self._broken(error)
            except StopIteration:
                if self._lines.bad is None:
                    raise
                return self._lines.bad
            if self._lines.bad is not None:
                return self._lines.bad
            if any(cell and not cell.isspace() for cell in cells):
                return self._judged(cells)

    @property
    def _start(self) -> int:
        return self._lines.number - len(self._lines.taken) + 1

    def _judged(self, cells: list[str]) -> Record | BadRecord:
        """Return the record, unless a quote stands where csv takes it for text."""
        if any('"' in cell for cell in cells) and not self._strictly.fullmatch("".join(self._lines.taken)):
            return BadRecord(line=self._start, message="a quote inside a cell without quotes", hint=QUOTING)
        return Record(line=self._start, cells=cells)

    def _broken(self, error: csv.Error) -> BadRecord:
        said = str(error)
        if "unexpected end" in said:
            return BadRecord(line=self._start, message="a quote is opened and never closed", hint=QUOTING)
        if "larger than field limit" in said:
            message = f"a cell of more than {MAX_CELL:,} characters"
            return BadRecord(line=self._start, message=message, hint="is a quote never closed?")
        return BadRecord(line=self._lines.number, message="text after a closing quote", hint=QUOTING)


QUOTING: Final = 'a cell with quotes is written "like ""this""", right after the delimiter'


def sniffed(header: str) -> str:
    """Return the delimiter of a header row: the one that stands there most often outside quotes."""
    outside = QUOTED.sub("", header)
    return max(DELIMITERS, key=outside.count)
