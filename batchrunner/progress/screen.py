"""Which lines does the live view have?  Laid out for any width and height, never larger than the terminal.

Pure: a tally in, lines of (text, style) pieces out.  Fragments keep whole where they fit; a line that is
too long for the terminal is broken at a blank, a failure is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from ..durations import format_duration
from ..names import printable
from . import words
from .tally import Tally

Piece = tuple[str, str]
Line = list[Piece]

FAILURES_SHOWN: Final = 3
LONGEST_BAR: Final = 60
LONGEST_WAIT_LINES: Final = 4

STYLES: Final = {"succeeded": "green", "failed": "red", "unknown": "yellow"}


class Glyphs(NamedTuple):
    """The signs a terminal can show."""

    full: str
    empty: str
    between: str
    cut: str


UNICODE: Final = Glyphs("━", "─", " · ", "…")
ASCII: Final = Glyphs("#", "-", " | ", "~")


class Block(Struct, frozen=True):
    """Lines that belong together; the lower the rank, the longer they stay when there is no room."""

    rank: int
    lines: list[Line]


def screen(tally: Tally, now: float, width: int, height: int, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return the view in at most *height* lines of at most *width* cells."""
    blocks = _blocks(tally, now, max(1, width), glyphs)
    room = max(1, height)
    kept: dict[int, list[Line]] = {}
    for rank, i in sorted((block.rank, i) for i, block in enumerate(blocks)):
        lines = blocks[i].lines
        if rank == _FAILURES:
            lines = lines[-room:] if room else []  # the newest ones
        if len(lines) <= room:
            kept[i] = lines
            room -= len(lines)
    return [line for i in sorted(kept) for line in kept[i]]


_BAR, _WAITS, _WORK, _PACE, _ENDED, _MONEY, _FAILURES, _TITLE = range(8)


def _blocks(tally: Tally, now: float, width: int, glyphs: Glyphs) -> list[Block]:
    def flow(fragments: Iterable[Piece]) -> list[Line]:
        return _flow(list(fragments), width, glyphs)

    if tally.began_at is None:
        return [
            Block(_BAR, [_title(tally, now, width, glyphs)]),
            Block(_WORK, flow([("reading the manifest", "")])),
        ]
    plain = [(words.at_work(tally), _WORK), (words.pace(tally, now), _PACE), (words.money(tally), _MONEY)]
    work, pace, money = (Block(rank, flow((text, "") for text in texts)) for texts, rank in plain)
    ended = [(text, STYLES.get(name, "")) for name, text in words.ended(tally)]
    if tally.done_before:
        ended.append((f"{tally.done_before:,} before", "dim"))
    waiting = _broken(words.waits(tally, now), width, glyphs)
    failures = list(tally.failures.copy())[-FAILURES_SHOWN:]
    return [
        Block(_TITLE, [_title(tally, now, width, glyphs)]),
        Block(_BAR, [_bar(tally, width, glyphs)]),
        Block(_WAITS, [[(text, "yellow")] for text in waiting]),
        work,
        Block(_ENDED, flow(ended)),
        pace,
        money,
        Block(_FAILURES, [[(_cut(words.failed(each), width, glyphs), "red")] for each in failures]),
    ]


def _title(tally: Tally, now: float, width: int, glyphs: Glyphs) -> Line:
    elapsed = "" if tally.began_at is None else format_duration(now - tally.began_at)
    where = printable(tally.folder, 400) or "batchrunner"
    room = width - cell_len(elapsed) - 1
    if room < 8:
        return [(_cut(where, width, glyphs), "bold")]
    if cell_len(where) > room:  # the end of a path says more than its beginning
        where = glyphs.cut + _last_cells(where, room - 1)
    if tally.simulated and cell_len(where) + 12 <= room:
        where += " (rehearsal)"
    return [(where, "bold"), (" " * (width - cell_len(where) - cell_len(elapsed)), ""), (elapsed, "dim")]


def _bar(tally: Tally, width: int, glyphs: Glyphs) -> Line:
    """Return the bar with its numbers; the bar goes first where there is no room for both."""
    share = min(1.0, tally.done / tally.to_do) if tally.to_do else 1.0
    percent = f"{int(100 * share)}%"
    numbers = f" {percent} {tally.done:,}/{tally.to_do:,}"
    cells = min(LONGEST_BAR, width - cell_len(numbers))
    if cells < 8:
        numbers = f" {percent}"
        cells = min(LONGEST_BAR, width - cell_len(numbers))
    if cells < 4:
        return [(_cut(numbers.strip(), width, glyphs), "")]
    full = int(cells * share)
    return [(glyphs.full * full, "green"), (glyphs.empty * (cells - full), "dim"), (numbers, "")]


def _flow(fragments: Sequence[Piece], width: int, glyphs: Glyphs) -> list[Line]:
    """Put fragments next to each other, as many in a line as fit."""
    lines: list[Line] = []
    used = 0
    for text, style in fragments:
        text = _cut(text, width, glyphs)
        apart = cell_len(glyphs.between)
        if lines and used + apart + cell_len(text) <= width:
            lines[-1] += [(glyphs.between, "dim"), (text, style)]
            used += apart + cell_len(text)
        else:
            lines.append([(text, style)])
            used = cell_len(text)
    return lines


def _broken(text: str, width: int, glyphs: Glyphs) -> list[str]:
    """Break *text* at blanks; what is beyond a few lines is cut."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(_cut(word, width, glyphs))
    if len(lines) > LONGEST_WAIT_LINES:
        kept = lines[:LONGEST_WAIT_LINES]
        kept[-1] = _cut(f"{kept[-1]} {lines[LONGEST_WAIT_LINES]}", width, glyphs)
        return kept
    return lines


def _cut(text: str, width: int, glyphs: Glyphs) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)) + glyphs.cut


def _last_cells(text: str, width: int) -> str:
    while cell_len(text) > width:
        text = text[1:]
    return text
