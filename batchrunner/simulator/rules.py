"""What does the service answer?  The simulator's rules, as one object without clock, network or threads.

The caller gives a request and the instant, and carries out the reply.  A request's whole future is decided
when it is accepted (schedule.py), so its state is a function of the instant and nothing runs in the
background.  What was accepted is remembered before the acceptance is answered (memory.py).  Facts: the Model
API reference, sections 1 to 5.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from .._types import Inputs, Json
from . import bodies
from .admission import Refusal, check_submission
from .bodies import Phase, phase
from .catalogue import Catalogue
from .chance import digest, lognormal, uniform, uuid
from .disturb import disturb
from .fault_book import FaultBook, Subject
from .faults import KINDS, Do, Fault
from .file_answers import gone, serve_file, spoil
from .film_order import order_film, texts_of
from .memory import Accepted, Fate, ForgetfulMemory, Memory
from .routes import Call, Endpoint, route
from .schedule import Schedule, Span
from .settings import SimulatorSettings
from .sight import Sight, inspection
from .wire import Answer, Refused, Render, Reply, Request, error_answer, json_answer, with_answer

_NO_REQUEST: Final = error_answer(404, 404001, "ResourceNotFound: this request_id does not exist")


class Service:
    """One simulated RunComfy account and the service behind it."""

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        memory: Memory | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        """Go on from what *memory* holds; *faults* count from the first request."""
        self.settings = settings or SimulatorSettings()
        self.sight = Sight()
        self.faults = FaultBook(self.settings.seed)
        self._first_faults = tuple(faults)
        self._begun = False
        self._catalogue = Catalogue(self.settings)
        self._memory = memory or ForgetfulMemory()
        self._records = {record.request_id: record for record in self._memory.load()}
        self._repeats = Counter(_key(r.model, r.inputs) for r in self._records.values())
        self._schedule = Schedule(self.settings.slots, map(_span, self._alive()))
        self._spent_usd = sum(record.cost_usd for record in self._alive())

    @property
    def accepted(self) -> tuple[Accepted, ...]:
        """Every accepted submission, in order."""
        return tuple(self._records.values())

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def begin(self, now: float) -> None:
        """Let the first faults count from *now*, unless they do already."""
        if not self._begun:
            self._begun = True
            self.faults.add(self._first_faults, now)

    def handle(self, request: Request, now: float) -> Reply:
        """Return what happens to a request that arrives at *now* (Unix seconds, or any clock that only
        rises).
        """
        self.begin(now)
        if self.faults.is_away(now):
            return Refused()
        own = inspection(self, request, now)
        if own is not None:
            return own
        call = route(request)
        if call is None:
            return error_answer(404, None, f"no such page: {request.method} {request.path}")
        self.sight.note(call)
        return with_answer(self._reply(call, now), self._delayed)

    def _delayed(self, answer: Answer) -> Answer:
        return replace(answer, latency_s=answer.latency_s + self.settings.latency_s)

    def _reply(self, call: Call, now: float) -> Reply:
        fault = self.faults.take(call.endpoint, self._subject(call)) if self.faults.armed else None
        if fault is None:
            return self._plain(call, now)
        if KINDS[fault.do].at == {Endpoint.FILE}:
            return self._file(call, fault)
        return disturb(fault, lambda: self._plain(call, now), now)

    def _subject(self, call: Call) -> Subject:
        if call.endpoint is Endpoint.SUBMIT:
            body = call.request.body.decode("utf-8", "replace")
            return Subject(key=f"{call.name} {body}", texts=(call.name, *_texts_in(body)))
        record = self._records.get(call.name)
        about = (record.model, *texts_of(record.inputs)) if record is not None else ()
        return Subject(key=call.name, texts=(call.name, *about), has_range="range" in call.request.headers)

    def _plain(self, call: Call, now: float) -> Reply:
        if call.endpoint is Endpoint.FILE:
            return self._file(call, None)
        if "authorization" not in call.request.headers:
            return error_answer(400, 400004, "UserAccountError: the Authorization header is missing")
        match call.endpoint:
            case Endpoint.SUBMIT:
                return self._submit(call, now)
            case Endpoint.STATUS | Endpoint.RESULT | Endpoint.CANCEL:
                record = self._records.get(call.name)
                return _NO_REQUEST if record is None else self._about(record, call, now)
            case Endpoint.MODELS:
                return self._catalogue.page(call.request)
            case Endpoint.CATEGORIES:
                return self._catalogue.categories()
            case Endpoint.MODEL:
                return self._model(call.name)
            case Endpoint.BALANCE:
                return self._balance()

    def _about(self, record: Accepted, call: Call, now: float) -> Answer:
        match call.endpoint:
            case Endpoint.STATUS:
                position = self._schedule.position(record.number, now)
                return bodies.status(record, call.request.origin, now, position)
            case Endpoint.CANCEL:
                return self._cancel(record, now)
            case _:
                with_cost = call.request.query.get("include_cost") == "true"
                fresh = self._relinked(record)
                return bodies.result(fresh, call.request.origin, now, self.settings, with_cost=with_cost)

    def _model(self, model: str) -> Answer:
        if model not in self._catalogue:
            return error_answer(404, 400001, f"InvalidResourceIdentifier: there is no model {model!r}")
        return json_answer(200, self._catalogue.entry(model, with_schema=True))

    def _balance(self) -> Answer:
        left = round(self.settings.balance_usd - self._spent_usd, 6)
        return json_answer(
            200, {"balance_usd": left, "balance_microdollars": round(left * 1_000_000), "currency": "USD"}
        )

    def _submit(self, call: Call, now: float) -> Answer:
        left_usd = self.settings.balance_usd - self._spent_usd
        inputs = check_submission(
            call,
            self._catalogue,
            left_usd=left_usd,
            strict=self.settings.strict,
            no_balance=self.settings.no_balance,
        )
        if isinstance(inputs, Refusal):
            return inputs.answer
        record = self._accept(call.name, inputs, now)
        self.sight.accepted(self._schedule.in_flight(now))
        return bodies.submitted(record, call.request.origin)

    def _accept(self, model: str, inputs: Inputs, now: float) -> Accepted:
        key = _key(model, inputs)
        nth = self._repeats[key]
        settings = self.settings
        number = len(self._records) + 1
        service_s = lognormal(settings.service_time_s, settings.spread, settings.seed, "time", key, nth)
        span = self._schedule.place(number, service_s, now)
        record = Accepted(
            number=number,
            request_id=uuid(settings.seed, key, number, now),
            model=model,
            inputs=inputs,
            accepted_at=now,
            start_at=span.start_at,
            end_at=span.end_at,
            cost_usd=self._catalogue.price_usd(model, inputs),
            fate=self._fate(key, nth, inputs),
        )
        self._remember(record)
        self._repeats[key] += 1
        self._spent_usd += record.cost_usd
        return record

    def _fate(self, key: str, nth: int, inputs: Inputs) -> Fate:
        word = self.settings.moderated_word
        if word and any(word in text for text in texts_of(inputs)):
            return Fate.MODERATED
        fails = uniform(self.settings.seed, "fate", key, nth) < self.settings.fail_share
        return Fate.FAILED if fails else Fate.FILM

    def _cancel(self, record: Accepted, now: float) -> Answer:
        at = phase(record, now)
        if at is not Phase.IN_QUEUE:
            outcome = "cancelled" if at is Phase.CANCELLED else "not_cancellable"
            word = at.value if at is not Phase.CANCELLED else "completed"
            return json_answer(202, {"request_id": record.request_id, "status": word, "outcome": outcome})
        self._remember(replace(record, cancelled_at=now))
        self._spent_usd -= record.cost_usd
        self._move_up(now)
        # The documented example really pairs these two.
        data: dict[str, Json] = {
            "request_id": record.request_id,
            "status": "completed",
            "outcome": "cancelled",
        }
        return json_answer(202, data)

    def _move_up(self, now: float) -> None:
        alive = {record.number: record for record in self._alive()}
        moved = self._schedule.replace(map(_span, alive.values()), now)
        self._remember(*(replace(alive[s.number], start_at=s.start_at, end_at=s.end_at) for s in moved))

    def _relinked(self, record: Accepted) -> Accepted:
        """The record with links that live."""
        if not record.link_dead:
            return record
        fresh = replace(record, link=record.link + 1, link_dead=False)
        self._remember(fresh)
        return fresh

    def _file(self, call: Call, fault: Fault | None) -> Reply:
        record = self._records.get(call.name)
        if record is None or record.link_dead or call.link != bodies.opaque(record):
            return gone()
        if fault is not None and fault.do is Do.DEAD:
            self._remember(replace(record, link_dead=True))
            return gone(fault.status or 404)
        order = order_film(record.model, record.inputs, request_id=record.request_id, number=call.number)
        if fault is None:
            return Render(order=order, then=lambda content: serve_file(call.request, content, order))
        return Render(order=order, then=lambda content: spoil(fault, call.request, content, order))

    def _remember(self, *records: Accepted) -> None:
        self._memory.save(records)
        self._records.update((record.request_id, record) for record in records)

    def _alive(self) -> Iterable[Accepted]:
        return (record for record in self._records.values() if record.cancelled_at is None)


def _key(model: str, inputs: Inputs) -> str:
    return digest(model, inputs).hex()


def _span(record: Accepted) -> Span:
    return Span(number=record.number, start_at=record.start_at, end_at=record.end_at)


def _texts_in(body: str) -> tuple[str, ...]:
    try:
        return tuple(texts_of(json.loads(body)))
    except (ValueError, RecursionError):
        return (body,)
