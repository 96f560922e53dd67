"""Catalogue entries for commands that are not running a batch: asked for, or remembered with their age.

What was read less than a day ago is not asked for again; what cannot be asked for is taken from what was
remembered, however old.  Called from ordinary functions (a manifest is read by one), so the asking happens
on an event loop of its own, in a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import anyio
from msgspec import Struct, field

from ._types import Json
from .answers import Answer, Kind, account_refused
from .catalogue import FRESH_S, Remembered
from .client import Client
from .durations import format_duration
from .errors import BatchrunnerError, Exit
from .hosts import is_local_origin
from .models.schemas import Missing
from .models.wording import did_you_mean
from .policy.backoff import POLL_ERROR
from .service import Service

T = TypeVar("T")

EVERYTHING: Final = "*"
"""Under this name, which no model can have, the whole catalogue is remembered."""

PAGE: Final = 100
"""Entries a call: what the official plugins keep to."""

MOST_PAGES: Final = 1000

TRIES: Final = 3
"""A read that fails on the way is made again, briefly."""


class CatalogueSilent(BatchrunnerError):
    """The catalogue could not be asked, or does not know the model, and nothing is remembered of it."""

    exit_code = Exit.INVALID


class Lookup(Struct, kw_only=True):
    """One service's catalogue."""

    service: Service
    refresh: bool = False
    """Ask also for what was read lately (``--refresh``)."""
    remark: Callable[[str], None] = lambda words: None
    """Is told once of every answer that is an old one."""
    _told: set[str] = field(default_factory=set)

    def entry(self, model: str) -> Remembered:
        """Return the entry of *model*, with its schema.

        Raises CatalogueSilent, saying why there is none, and AccountRefused.
        """
        return self._found(model, partial(_entry, model=model))

    def everything(self) -> Remembered:
        """Return all entries, without schemas, as ``{"models": [...]}``.  Raises what `entry` raises."""
        return self._found(EVERYTHING, _everything)

    def schema(self, model: str) -> Json | Missing:
        """Return the published input schema of *model*, or why there is none.  Raises AccountRefused."""
        try:
            document = self.entry(model).document
        except CatalogueSilent as silent:
            return Missing(silent.message)
        schema = document.get("input_schema")
        return Missing(f"the catalogue gives no input schema for {model}") if schema is None else schema

    def _found(self, name: str, ask: Callable[[Client], Awaitable[Answer]]) -> Remembered:
        kept, now = self.service.catalogue.get(name), time.time()
        lately = kept is not None and kept.age_s(now) < FRESH_S and not is_local_origin(self.service.base_url)
        if kept is not None and lately and not self.refresh:
            return kept
        answer = _on_a_loop(self.service, ask) if self.service.can_be_asked else None
        if answer is not None and answer.kind is Kind.OK and answer.body is not None:
            self.service.catalogue.put(name, answer.body, now)
            return Remembered(document=answer.body, fetched_at=now)
        return self._instead(name, kept, answer, now)

    def _instead(self, name: str, kept: Remembered | None, answer: Answer | None, now: float) -> Remembered:
        """Return what is remembered where the catalogue gave no answer of use."""
        about = "the catalogue" if name == EVERYTHING else name
        if answer is not None and answer.kind in (Kind.ACCOUNT, Kind.FOREIGN):
            raise account_refused(answer)
        if answer is not None and answer.kind in (Kind.REFUSED, Kind.GONE):
            raise CatalogueSilent(f"the catalogue does not know {about}", hint=self._nearest(name))
        reason = answer.message if answer else "there is no RunComfy token to ask with"
        if kept is None:
            asked = "" if name == EVERYTHING else f" about {about}"
            hint = None if answer else "set RUNCOMFY_API_TOKEN, or ask the simulator's with --simulate"
            raise CatalogueSilent(f"the catalogue could not be asked{asked}: {reason}", hint=hint)
        if name not in self._told:
            self._told.add(name)
            age = format_duration(kept.age_s(now))
            self.remark(f"{about}: as the catalogue had it {age} ago ({reason})")
        return kept

    def _nearest(self, model: str) -> str | None:
        """Return the remembered name that was most likely meant, as a hint."""
        every = self.service.catalogue.get(EVERYTHING)
        entries = every.document.get("models") if every else None
        listed = entries if isinstance(entries, list) else []
        return did_you_mean(model, [str(one.get("model_id")) for one in listed if isinstance(one, dict)])


async def _entry(client: Client, *, model: str) -> Answer:
    answer = await client.model(model)
    for tries in range(1, TRIES):
        if answer.kind not in (Kind.NOT_SENT, Kind.UNAVAILABLE, Kind.THROTTLED):
            break
        await anyio.sleep(POLL_ERROR.delay_s(tries, 0.5))
        answer = await client.model(model)
    return answer


async def _everything(client: Client) -> Answer:
    """Read page after page; the answer holds all entries, or is the one that failed."""
    entries: list[Json] = []
    for _ in range(MOST_PAGES):
        answer = await client.models(limit=PAGE, offset=len(entries))
        page = answer.body.get("models") if answer.kind is Kind.OK and answer.body else None
        if not isinstance(page, list):
            return answer
        entries += page
        total = answer.body.get("total") if answer.body else None
        if not page or (isinstance(total, int) and len(entries) >= total):
            break
    return Answer(kind=Kind.OK, body={"models": entries})


def _on_a_loop(service: Service, ask: Callable[[Client], Awaitable[T]]) -> T:
    """Run *ask* on an event loop of its own: the caller may be inside another one."""

    async def asked() -> T:
        async with service.connected(None) as client:
            return await ask(client)

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(anyio.run, asked).result()
