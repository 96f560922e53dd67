"""Which jobs hold the `jobs` of a YAML manifest?  Plain ones many at a time, all others one by one.

libyaml's events say where a job begins, and from there plain jobs are read by their lines alone.  Where these
end, the events take over again, from the file without the lines that have been read: what stands above the
jobs is still there, so that all means the same as before, down to the words for an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import BinaryIO, Final

from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from .._types import Json, Place, Problem
from ..models.wording import show
from .plain_yaml import plain_jobs
from .rows import ColumnBlock, Row, problem
from .yaml_compose import BadYaml, Composer, Excerpt, Gap, Trouble

JOBS: Final = "jobs"

BLOCK: Final = 2**16  # bytes that are looked at together

MAX_HEAD_BYTES: Final = 2**16  # that are read again each time plain jobs end

LEAD: Final = re.compile(rb" *- +")

MANY: Final = 64  # plain jobs in a row pay for the search for them
MOST_PATIENCE: Final = 256  # jobs read with care before plain ones are looked for again


def begin(composer: Composer) -> Event | None:
    """Return the event that begins the document's value, None when there is no document."""
    while not isinstance(event := composer.next(), DocumentStartEvent):
        if isinstance(event, StreamEndEvent):
            return None
    return composer.next()


def check_end(composer: Composer) -> None:
    """Read to the end of the file.  Raises BadYaml for a second document."""
    while not isinstance(composer.next(), DocumentEndEvent):
        pass
    event = composer.next()
    if not isinstance(event, StreamEndEvent):
        line = composer.line_of(event)
        raise BadYaml(line, "a second document (---) in one manifest", "one file is one manifest")


def careful_rows(composer: Composer, file: str) -> Iterator[Row | Problem]:
    """Yield the jobs of the list just begun, one by one."""
    for event in composer.items():
        yield from _row_of(event, composer, file)


def _row_of(event: Event, composer: Composer, file: str) -> Iterator[Row | Problem]:
    composer.start_job()
    value = composer.value(event)
    yield from row_of(value, composer.line_of(event), file, composer.troubles)


def row_of(value: Json, line: int, file: str, troubles: Iterable[Trouble]) -> Iterator[Row | Problem]:
    """Yield what *value*, one item of the jobs, is: a row, or what is wrong with it."""
    job = value.get("id") if isinstance(value, dict) else None
    for trouble in troubles:
        name = str(job) if isinstance(job, str) else None
        yield problem(file, trouble.line, trouble.message, hint=trouble.hint, row=line, job=name)
    if isinstance(value, dict):
        yield Row(place=Place(file=file, line=line, row=line), fields=value)
    elif value is None:
        yield problem(file, line, "an empty job", hint="remove the lone -")
    else:
        yield problem(file, line, f"a job is a mapping of names to values, not {show(value)}")


class Jobs:
    """The jobs that are left to be read, with nothing behind them."""

    def __init__(self, stream: BinaryIO, composer: Composer, file: str) -> None:
        """*composer* has just begun the list of them; all lines of *stream* end as usual."""
        self.composer = composer
        """What reads with care at present."""
        self._stream = stream
        self._file = file
        self._head: bytes | None = None
        """What stands above the first job; None where that cannot be told from the jobs by its lines."""
        self._at, self._line = 0, 1
        """A place in the file: the offset of the beginning of a line."""

    def rows(self, block_bytes: int) -> Iterator[Row | Problem | ColumnBlock]:
        """Yield them in order, plain ones of so many bytes at a time.  Raises like the composer."""
        items, patience, careful = self.composer.items(), 1, 0
        is_first = True
        while (event := next(items, None)) is not None:
            if is_first:
                self._head, is_first = self._above(event), False
            plain = self._plain_from(event) if careful == 0 else None
            careful = max(0, careful - 1)
            if plain is not None:
                yield from plain.blocks(block_bytes)
                patience = 1 if plain.count >= MANY else min(2 * patience, MOST_PATIENCE)
                careful = patience
                if plain.is_end:
                    return
                if plain.count:
                    self._go_on_behind(plain)
                    items = self.composer.items()
                    continue
            yield from _row_of(event, self.composer, self._file)
        check_end(self.composer)

    def _above(self, first: Event) -> bytes | None:
        """Return what stands above the *first* job; None where a line holds some of it and of the job."""
        above = self._lines_before(first)
        is_apart = self._lead_of(first) is not None and len(above) <= MAX_HEAD_BYTES
        return above if is_apart else None

    def _lines_before(self, event: Event) -> bytes:
        """Go to the line of *event*, and return those that were passed."""
        self._stream.seek(self._at)
        line = self.composer.line_of(event)
        passed = b"".join([self._stream.readline() for _ in range(line - self._line)])
        self._at, self._line = self._at + len(passed), line
        return passed

    def _lead_of(self, event: Event) -> bytes | None:
        """Return the dash and the blanks before a job, when there is nothing else before it on its line."""
        self._stream.seek(self._at)
        mark = event.start_mark
        lead = self._stream.readline()[: mark.column if mark else 0]
        return lead if LEAD.fullmatch(lead) else None

    def _plain_from(self, event: Event) -> _Stretch | None:
        """Return the plain jobs from *event* on, if that may be the first of them."""
        if self._head is None or not isinstance(event, MappingStartEvent) or event.flow_style:
            return None
        self._lines_before(event)
        lead = self._lead_of(event)
        return None if lead is None else _Stretch(self._stream, self._at, self._line, lead, self._file)

    def _go_on_behind(self, plain: _Stretch) -> None:
        """Let a composer go on where the plain jobs end."""
        self._at, self._line = plain.at, plain.line
        head = self._head or b""
        above = head.count(b"\n")
        self.composer = Composer(
            Excerpt(self._stream, self._at, head),
            gap=Gap(after=above, lines=self._line - 1 - above, column=plain.lead.index(b"-")),
            anchors=self.composer.anchors,
        )
        if isinstance(begin(self.composer), SequenceStartEvent):
            return
        for name, _, event in self.composer.pairs():
            if name == JOBS and isinstance(event, SequenceStartEvent):
                return
            self.composer.skip(event)


class _Stretch:
    """Plain jobs one behind the other, and where they end."""

    def __init__(self, stream: BinaryIO, at: int, line: int, lead: bytes, file: str) -> None:
        self.at, self.line = at, line
        """Where the next one begins, or something else."""
        self.is_end = False
        """Whether there is nothing behind them."""
        self.count = 0
        self._stream = stream
        self.lead = lead
        self._file = file

    def blocks(self, block_bytes: int) -> Iterator[ColumnBlock]:
        """Yield some of them at a time."""
        lead = self.lead.decode()
        while not self.is_end:
            self._stream.seek(self.at)
            block = self._stream.read(block_bytes) + self._stream.readline()
            is_last = len(block) < block_bytes
            # What its last job is may stand in the next block.
            text = block if is_last else block[: block.rfind(b"\n" + self.lead) + 1]
            found = plain_jobs(text.decode(), lead)
            if found is None:
                return
            written = text if len(found.text) == len(text) else found.text.encode()
            lines = _moved(found.starts, self.line)
            again = partial(_read_again, written, self.line, self._file)
            self.at += len(written)
            self.line += written.count(b"\n")
            self.count += len(lines)
            self.is_end = is_last and len(written) == len(text)
            yield ColumnBlock(self._file, lines, found.columns, again)
            if len(written) < len(text):
                return


def _moved(starts: Iterable[int], by: int) -> range | list[int]:
    if isinstance(starts, range):
        return range(starts.start + by, starts.stop + by, starts.step)
    return [start + by for start in starts]


def _read_again(written: bytes, line: int, file: str) -> Iterator[Row]:
    """Yield plain jobs one by one, with the line of each value."""
    composer = Composer(Excerpt(BytesIO(written)), gap=Gap(lines=line - 1))
    begin(composer)
    for row in careful_rows(composer, file):
        assert isinstance(row, Row)  # nothing is wrong with plain ones
        yield row
