"""Where do the bytes of a film come from?

Two studios: one hands out the same tiny film again and again, at once; the other makes each film (film.py),
in worker threads, a few at a time, and keeps the latest ones because clients fetch them in parts.
"""

from __future__ import annotations

from collections import OrderedDict
from importlib import resources, util
from typing import Final, Protocol

import anyio
from anyio import to_thread

from .film_order import FilmOrder
from .settings import Films

_KEPT: Final = 32
"""Films in memory: some tens of megabytes at most."""
_CREWS: Final = 2
"""Films made at once; the encoder is single-threaded."""


class Studio(Protocol):
    """Makes what an order asks for."""

    async def make(self, order: FilmOrder) -> bytes:
        """Return the whole file."""


class TinyStudio:
    """The film and the picture that ship with the package: a few kilobytes, whole and playable.

    Never waits, so it can be used on a virtual clock.
    """

    def __init__(self) -> None:
        here = resources.files(__package__)
        self._film = here.joinpath("tiny.mp4").read_bytes()
        self._picture = here.joinpath("tiny.png").read_bytes()

    async def make(self, order: FilmOrder) -> bytes:
        return self._picture if order.is_image else self._film


class FilmStudio:
    """Makes each film.  Needs the extra ``simulator``."""

    def __init__(self) -> None:
        self._made: OrderedDict[FilmOrder, bytes] = OrderedDict()
        self._crews: anyio.CapacityLimiter | None = None

    async def make(self, order: FilmOrder) -> bytes:
        from .film import make_film

        if order not in self._made:
            self._crews = self._crews or anyio.CapacityLimiter(_CREWS)  # belongs to the running event loop
            self._made[order] = await to_thread.run_sync(make_film, order, limiter=self._crews)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return self._made[order]


def can_make_films() -> bool:
    """Whether the extra ``simulator`` is installed."""
    return util.find_spec("av") is not None and util.find_spec("PIL") is not None


def open_studio(films: Films) -> Studio:
    """Return the studio for *films*; without the extra it is the tiny one."""
    return FilmStudio() if films is Films.REAL and can_make_films() else TinyStudio()
