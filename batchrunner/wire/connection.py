"""A connection: carries one exchange after the other, and notices when the other side falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ..clock import sleepless_time
from .exchange import Exchange
from .messages import NotSent, Origin, Request


class Connection(asyncio.BufferedProtocol):
    """One connection to one origin.

    What is read comes to lie on *desk*, or where the exchange wants the rest of a body to be.  *rests* is
    told when it is free for another request, *gone* when it is closed.
    """

    def __init__(
        self,
        origin: Origin,
        desk: memoryview,
        rests: Callable[[Connection], None],
        gone: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        self.rests_since = 0.0
        """The instant, of the clock that goes on in sleep, since which nothing is asked of it."""
        self._desk = desk
        self._rests = rests
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._heard_at = 0.0
        self._waits_since = 0.0
        self._heard_bytes = 0
        """Since then."""
        self._room: memoryview | None = None
        """Where the exchange wants what is read next; None: on the desk."""
        self._whole_by: float | None = None
        self._clock: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, request: Request) -> Exchange:
        """Send *request*.  Raises NotSent when nothing of it was handed over."""
        data = request.as_bytes
        if self._transport is None or self._transport.is_closing():
            raise NotSent(f"the connection to {self.origin} was closed before the request was sent")
        exchange = self._exchange = Exchange(request, self)
        now = self._loop.time()
        self._wait_anew(now)
        self._whole_by = None if request.whole_s is None else now + request.whole_s
        self._transport.write(data)
        self._watch(self._gives_up_at(request))
        return exchange

    def close(self) -> None:
        """Close at once; whoever reads an answer is told."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if self._transport is not None:
            self._transport.abort()

    # ── what an exchange asks for ──

    def pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        self._wait_anew(self._loop.time())  # what was silent meanwhile were we
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def let_go(self, exchange: Exchange) -> None:
        if self._exchange is not exchange:
            return
        self._exchange = None
        if exchange.is_whole and exchange.may_be_followed and exchange.request.keep_alive and self.is_open:
            self.rests_since = sleepless_time()
            self._rests(self)
        else:
            self.close()

    # ── what the event loop says ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        self._room = None if self._exchange is None else self._exchange.room()
        return self._desk if self._room is None else self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._heard_at = self._loop.time()
        self._heard_bytes += nbytes
        if self._exchange is None:
            self.close()  # nothing was asked
        elif self._room is None:
            self._exchange.arrived(self._desk[:nbytes])
        else:
            self._exchange.filled(nbytes)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if self._exchange is not None:
            self._exchange.broke_off(exc)
        self._gone(self)

    # ── silence ──

    def _gives_up_at(self, request: Request) -> float:
        silent_until = self._heard_at + request.silence_s
        return silent_until if self._whole_by is None else min(silent_until, self._whole_by)

    def _watch(self, until: float) -> None:
        """Look at the clock at *until*; a timer outlives its exchange, and serves those that follow."""
        if self._clock is not None:
            if self._clock.when() <= until:
                return
            self._clock.cancel()
        self._clock = self._loop.call_at(until, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._clock = None
        exchange = self._exchange
        if exchange is None:
            return
        now = self._loop.time()
        if not exchange.is_waiting:
            self._wait_anew(now)
        trouble = self._trouble(exchange.request, now)
        if trouble is None:
            self._watch(self._gives_up_at(exchange.request))
        else:
            exchange.fail(trouble)
            self.close()

    def _trouble(self, request: Request, now: float) -> str | None:
        """Return why *request* is given up; None where it is not."""
        if request.whole_s is not None and self._whole_by is not None and now >= self._whole_by:
            return f"no whole answer within {request.whole_s:g} s"
        if now >= self._heard_at + request.silence_s:
            return f"nothing heard for {request.silence_s:g} s"
        slowness = request.slowness(self._heard_bytes, now - self._waits_since)
        if now >= self._waits_since + request.silence_s:
            self._waits_since, self._heard_bytes = now, 0
        return slowness

    def _wait_anew(self, now: float) -> None:
        self._heard_at = self._waits_since = now
        self._heard_bytes = 0
