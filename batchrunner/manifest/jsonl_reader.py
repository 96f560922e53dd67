"""Which rows does a JSON Lines manifest hold?

Lines end at a line feed only: U+2028 is text.  A bad line is a problem, the next line a new chance.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import BinaryIO, Final

from .._types import Place, Problem
from ..models.wording import show
from .parts import WHOLE, Part
from .plain_json import plain_object, plain_objects
from .rows import FieldBlock, Row, problem
from .strict_json import BadJson, parse_json

BLOCK: Final = 2**16  # bytes that are looked at together

MAX_LINE_BYTES: Final = 16 * 2**20  # the service takes bodies of about 1 MB; more is no job but another file


def read_jsonl(stream: BinaryIO, file: str) -> Iterator[Row | Problem]:
    """Yield the objects of *stream* as rows, in order; blank lines are skipped."""
    for found in read_json_blocks(stream, file):
        if isinstance(found, FieldBlock):
            yield from found.each()
        else:
            yield found


def read_json_blocks(stream: BinaryIO, file: str, part: Part = WHOLE) -> Iterator[FieldBlock | Row | Problem]:
    """Do the same, for a *part* of the lines, with as many rows at a time as are plain to see."""
    number = 1
    for at, block in enumerate(_blocks(stream)):
        lines = block.removesuffix(b"\n")
        if part.holds(at):
            yield from _rows(lines.removeprefix(BOM_UTF8) if number == 1 else lines, file, number)
        number += lines.count(b"\n") + 1


def _rows(lines: bytes, file: str, first: int) -> Iterator[FieldBlock | Row | Problem]:
    plain = plain_objects(lines)
    if plain is None:
        yield from _one_by_one(lines.split(b"\n"), file, first)
    else:
        yield FieldBlock(file, first, plain.rows, plain.columns)


def _one_by_one(lines: list[bytes], file: str, first: int) -> Iterator[Row | Problem]:
    for number, line in enumerate(lines, first):
        if len(line) > MAX_LINE_BYTES:
            yield problem(file, number, f"a line of more than {MAX_LINE_BYTES // 2**20} MiB is no job")
        elif line.strip():
            yield _parsed(line, file, number)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield some lines at a time; of one without end only the beginning: it cannot fill the memory."""
    while block := stream.read(BLOCK):
        if not block.endswith(b"\n"):
            block += stream.readline(MAX_LINE_BYTES)
        yield block
        rest = b"" if block.endswith(b"\n") else block[block.rfind(b"\n") + 1 :]
        while len(rest) >= MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES)


def _parsed(line: bytes, file: str, number: int) -> Row | Problem:
    plain = plain_object(line)
    if plain is not None:
        return Row(Place(file, number, number), plain)
    try:
        value = parse_json(line.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8"
        return problem(file, number, message, hint="save the file as UTF-8")
    except BadJson as error:
        return problem(file, number, f"not valid JSON: {error}")
    if not isinstance(value, dict):
        return problem(file, number, f"a job is an object such as {{...}}, not {show(value)}")
    return Row(place=Place(file=file, line=number, row=number), fields=value)
