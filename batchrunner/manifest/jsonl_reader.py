"""Which rows does a JSON Lines manifest hold?

Lines end at a line feed only: U+2028 is text.  A bad line is a problem, the next line a new chance.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import BinaryIO, Final

from .._types import Place, Problem
from ..models.wording import show
from .plain_json import plain_object
from .rows import Row, problem
from .strict_json import BadJson, parse_json

MAX_LINE_BYTES: Final = 16 * 2**20  # the service takes bodies of about 1 MB; more is no job but another file


def read_jsonl(stream: BinaryIO, file: str) -> Iterator[Row | Problem]:
    """Yield the objects of *stream* as rows, in order; blank lines are skipped."""
    for number, line in enumerate(_lines(stream), 1):
        text = line.removeprefix(BOM_UTF8) if number == 1 else line
        if len(text) > MAX_LINE_BYTES:
            yield problem(file, number, f"a line of more than {MAX_LINE_BYTES // 2**20} MiB is no job")
        elif text.strip():
            yield _parsed(text, file, number)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of one without end only the beginning, so that it cannot fill the memory."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES + 1)


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
