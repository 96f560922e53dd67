"""What do some thousand jobs add to a folder's figures?  A tally: counted once, and true until one changes.

The page for people shows sums, medians and bars over all jobs.  They are put together from tallies of the
pieces that `results.jsonl` is written in (lines.py), and the ledger keeps those (ledger/written.py).
Instants and run times are counted in whole milliseconds: so no sum depends on the order.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from ..ledger import Store
from ..ledger.files import FOLDER_OF_KIND
from ..ledger.spending import MICROS
from ..ledger.stored import has_stored
from ..lifecycle import State
from .lines import IN_PIECE, Piece

if TYPE_CHECKING:
    Numbers: TypeAlias = array[int]
else:
    Numbers = array  # which names no type of what it holds before Python 3.12


class Tally(Struct, frozen=True, kw_only=True):
    """The jobs of one piece in numbers."""

    states: dict[str, dict[str, int]]
    """By model: how many of the manifest's jobs are in each state."""
    gone: int
    """Jobs that are no longer in the manifest."""
    files: dict[str, tuple[int, int]]
    """By kind: files that are here or in the store, and their bytes."""
    cost_micros: dict[str, int]
    """By model: micro-dollars that the service said all attempts cost; no entry where it never said."""
    saved_s: Numbers
    """The whole seconds at which jobs were saved, in order."""
    failed_s: Numbers
    """The same of jobs that failed."""
    under_way_ms: Numbers
    """Begin and end of each stretch in which any job was under way, in order."""
    ran_ms: dict[str, Numbers]
    """By model: how long its generations ran, in order; each the middle of what the looks showed."""


FORM: Final = f"1, {sys.byteorder}"
"""Counts up when a tally of the same jobs is another than before."""

_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=lambda numbers: numbers.tobytes())


def _as_numbers(_: type, data: bytes) -> Numbers:
    numbers = array("q")
    numbers.frombytes(data)
    return numbers


_DECODER: Final = msgspec.msgpack.Decoder(Tally, dec_hook=_as_numbers)


def pack(tally: Tally) -> bytes:
    """Return the tally in three or four bytes a job; numbers in order are much alike."""
    return zlib.compress(_ENCODER.encode(tally), 1)


def unpack(data: bytes) -> Tally:
    return _DECODER.decode(zlib.decompress(data))


_STATES: Final = f"""SELECT model, state, count(*), group_concat(CAST(CASE state
        WHEN '{State.SUCCEEDED}' THEN saved_at WHEN '{State.FAILED}' THEN completed_at END AS INTEGER))
    FROM jobs WHERE {IN_PIECE} GROUP BY model, state"""

_END: Final = """max(ifnull(a.completed_at, a.submitted_at),
    iif(a.number = jobs.attempts AND a.generation = jobs.generation, ifnull(jobs.saved_at, 0), 0))"""
"""A job is under way until its film is saved; an attempt that was not the last, until it ended."""

_ATTEMPTS: Final = f"""SELECT min(model), group_concat(CAST(a.submitted_at * 1000 AS INTEGER)),
        group_concat(iif(a.submitted_at IS NULL, NULL, CAST({_END} * 1000 AS INTEGER))),
        group_concat(CAST((ran_at_least_s + ran_at_most_s) * 500 AS INTEGER)),
        sum({MICROS.format(row="a")})
    FROM jobs CROSS JOIN attempts a ON a.job = seq WHERE {IN_PIECE} {{grouped}}"""

_BY_MODEL: Final = "GROUP BY model"
"""Only where there are several: to sort a million rows takes as long as to read them."""

_KINDS: Final = sorted(FOLDER_OF_KIND)

_FILES: Final = f"""SELECT {
    ", ".join(f"{of} FILTER (WHERE kind = '{kind}')" for kind in _KINDS for of in ("count(*)", "sum(bytes)"))
}
    FROM jobs CROSS JOIN artifacts a ON a.job = seq AND a.generation = jobs.generation {{stored}}
    WHERE {IN_PIECE} AND (a.saved_at IS NOT NULL{{is_there}})"""

_OR_STORED: Final = {
    "stored": "LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)",
    "is_there": " OR s.url IS NOT NULL",
}

_NOWHERE_ELSE: Final = {"stored": "", "is_there": ""}


def tally(store: Store, piece: Piece) -> Tally:
    """Count the jobs of a piece: SQLite puts the numbers together, and needs no interpreter for it."""
    states: dict[str, dict[str, int]] = defaultdict(dict)
    ended_s: dict[str, list[int]] = {State.SUCCEEDED: [], State.FAILED: []}
    models, gone = set(), 0
    for model, state, n, instants in _rows(store, _STATES, piece):
        models.add(model)
        if state in ended_s:
            ended_s[state] += _numbers(instants)
        if piece[0]:
            states[model][state] = n
        else:
            gone += n
    stretches: list[tuple[int, int]] = []
    ran_ms, cost_micros = {}, {}
    grouped = _BY_MODEL if len(models) > 1 else ""
    for model, began, ended, ran, micros in _rows(store, _ATTEMPTS.format(grouped=grouped), piece):
        stretches += zip(_numbers(began), _numbers(ended), strict=True)
        if ran is not None:
            ran_ms[model] = array("q", sorted(_numbers(ran)))
        if micros is not None:
            cost_micros[model] = micros
    (found,) = _rows(store, _FILES.format(**_OR_STORED if has_stored(store) else _NOWHERE_ELSE), piece)
    files = zip(_KINDS, found[::2], found[1::2], strict=True)
    return Tally(
        states=states,
        gone=gone,
        files={kind: (n, size_bytes or 0) for kind, n, size_bytes in files if n},
        cost_micros=cost_micros,
        saved_s=array("q", sorted(ended_s[State.SUCCEEDED])),
        failed_s=array("q", sorted(ended_s[State.FAILED])),
        under_way_ms=array("q", chain.from_iterable(united(stretches))),
        ran_ms=ran_ms,
    )


def united(stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of time, in order, in which any of *stretches* was on."""
    ordered = iter(sorted(stretches))
    start, end = next(ordered, (0, -1))
    for begun, ended in ordered:
        if begun > end:
            yield start, end
            start, end = begun, ended
        elif ended > end:
            end = ended
    if end >= start:
        yield start, end


def _rows(store: Store, query: str, piece: Piece) -> list[tuple[Any, ...]]:
    """Return rows that are tuples."""
    cursor = store.connection.cursor()
    cursor.row_factory = None
    return cursor.execute(query, piece).fetchall()


def _numbers(text: str | None) -> list[int]:
    return [] if text is None else msgspec.json.decode(f"[{text}]", type=list[int])
