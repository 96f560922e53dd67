"""The one step that costs money: leave, intent, POST, and what its answer means for the job and the run."""

from __future__ import annotations

from functools import partial

import anyio

from .._types import Inputs, JobError
from ..answers import Answer, Kind, account_refused, request_id_of
from ..errors import BatchrunnerError, ErrorCode, ManifestInvalid, Usage
from ..event_loop import current_time
from ..folder.lease import CutOff
from ..ledger import Entry, OverCap, StaleWrite, Store
from ..money.amounts import dollars
from ..objects import StoreTrouble
from ..policy.backoff import DEFERRAL
from ..policy.retry import Deferral
from ..policy.weather import Go, Probe, Wait
from ..settings import OnUnknown
from .context import Context


class Submitter:
    """Submits jobs, one leave at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deferrals: dict[int, Deferral] = {}
        self._first_in_line = anyio.Lock()

    async def submit(self, entry: Entry) -> Entry:
        """Submit a pending job; it comes back still pending when the run is stopping or it was not taken.

        A job that ``--max-cost`` has no room for waits for what others set aside and do not need, and ends
        the submitting when nothing is left that could come free.  One job waits so, the others behind it.
        An image that cannot be staged ends the submitting as well; what is in flight is collected.
        """
        try:
            await self._context.staging.put(entry.inputs)
            return await self._in_turn(entry)
        except (StoreTrouble, ManifestInvalid, Usage) as trouble:  # before the intent
            self._context.stopping.drain(f"job {entry.id}: {trouble.message}", trouble)
            return entry

    async def _in_turn(self, entry: Entry) -> Entry:
        """Submit, after the one that waits for room under the cap, if there is one."""
        if not self._first_in_line.locked():  # else somebody waits already, who came first
            try:
                return await self._submit(entry)
            except OverCap:
                pass
        with self._context.waiting():
            await self._first_in_line.acquire()
        try:
            return await self._submit_with_room(entry)
        finally:
            self._first_in_line.release()

    async def _submit_with_room(self, entry: Entry) -> Entry:
        context = self._context
        while not context.stopping.requested:
            try:
                return await self._submit(entry)
            except OverCap as over:
                if not context.unsettled:
                    context.stopping.drain(self._full(entry, over))
                    break
                with context.waiting():
                    await context.changed.wait()
        return entry

    def _full(self, entry: Entry, over: OverCap) -> str:
        cap, cost = self._context.settings.max_cost_micros or 0, self._cost(entry) or 0
        return (
            f"--max-cost {dollars(cap)}: {dollars(over.committed_micros)} are spent or set aside, and job"
            f" {entry.id} costs {dollars(cost)}; a higher cap goes on"
        )

    def _cost(self, entry: Entry) -> int | None:
        return self._context.prices.of(entry.model, entry.inputs)

    async def _submit(self, entry: Entry) -> Entry:
        """Submit under the cap.  Raises OverCap, with nothing changed, when there is no room.

        Leave is asked for with the request gate held, so nothing is waited for between leave and POST.
        """
        context = self._context
        while not context.stopping.requested:
            if context.held_since is not None:
                await context.changed.wait()
                continue
            async with context.client.submission_gate:
                if not context.may_submit:
                    continue  # the gate may have been waited for
                leave = context.weather.may_submit(current_time())
                if isinstance(leave, Go):
                    return await self._go(entry, leave)
            await self._wait(entry, leave)
        return entry

    async def _go(self, entry: Entry, leave: Go) -> Entry:
        try:
            return await self._send(entry, leave)
        finally:
            if leave.canary:
                self._context.weather.canary_back()
            self._context.changed.report()

    async def _wait(self, entry: Entry, leave: Wait | Probe) -> None:
        context = self._context
        with context.waiting():
            if isinstance(leave, Probe):
                await self._probe(entry)
            else:
                await context.changed.wait(leave.until)

    async def _probe(self, entry: Entry) -> None:
        """Make one free read, for a sign of life after a doubt."""
        weather = self._context.weather
        answer = await self._context.client.model(entry.model)
        now = current_time()
        match answer.kind:
            case Kind.ACCOUNT | Kind.FOREIGN:
                weather.probed(now, answered=True)
                raise account_refused(answer)
            case Kind.NOT_SENT | Kind.UNAVAILABLE:
                weather.probed(now, answered=False, reason=answer.message)
            case _:
                weather.probed(now, answered=True)
        self._context.changed.report()

    async def _send(self, entry: Entry, leave: Go) -> Entry:
        """Record the intent, send it, record the answer: none of it is cut off by the end of the run.

        What changed while the intent was being recorded (a stop, a pause, a doubt) takes it back.
        """
        context = self._context
        cost, cap = self._cost(entry), context.settings.max_cost_micros
        if cap is not None and cost is None:
            context.stopping.drain(
                f"--max-cost: {context.prices.why_not(entry.model)} (--price USD names one)"
            )
            return entry
        inputs = await context.staging.addressed(entry.inputs)
        with anyio.CancelScope(shield=True), context.settling():
            intend = partial(
                Store.intend, seq=entry.seq, now=context.wall_clock(), cost_micros=cost, cap_micros=cap
            )
            try:
                entry = await context.ledger.do(intend)
            except StaleWrite:  # cancelled by the user a moment ago
                return await context.ledger.do(lambda ledger: ledger.entry(entry.seq))
            context.tell("submitting", entry)
            try:
                context.fence()  # the commit may have taken its time
            except CutOff as cut_off:
                context.stopping.fail(cut_off)
            still = context.weather.still_may(leave, current_time())
            if not (context.may_submit and still):
                entry = await context.ledger.do(lambda ledger: ledger.not_accepted(entry.seq))
            else:
                entry = await self._record(entry, await self._post(entry.model, inputs))
        return entry

    async def _post(self, model: str, inputs: Inputs) -> Answer:
        """Send the submission; only its own time of grace, once the run ends at once, can cut it off."""
        answer = Answer(kind=Kind.IN_DOUBT, message="stopped before the answer came")
        with self._context.stopping.on_the_wire():
            answer = await self._context.client.submit(model, inputs)
        return answer  # noqa: RET504 (the scope may have cut the line above off)

    async def _record(self, entry: Entry, answer: Answer) -> Entry:
        match answer.kind:
            case Kind.OK:
                return await self._accepted(entry, answer)
            case Kind.NOT_SENT | Kind.THROTTLED | Kind.UNAVAILABLE:
                return await self._turned_away(entry, answer)
            case Kind.REFUSED:
                return await self._refused(entry, answer)
            case Kind.ACCOUNT:
                await self._context.ledger.do(lambda ledger: ledger.not_accepted(entry.seq))
                raise account_refused(answer)
            case _:
                return await self._in_doubt(entry, answer)

    async def _accepted(self, entry: Entry, answer: Answer) -> Entry:
        context = self._context
        request_id = request_id_of(answer.body)
        assert request_id is not None  # that is what makes a submission's answer OK
        now = context.wall_clock()
        try:
            accepted = await context.ledger.do(lambda ledger: ledger.accepted(entry.seq, request_id, now))
        except BatchrunnerError:  # the disk failed between payment and record: say the id wherever possible
            context.tell("unrecorded", entry, request_id=request_id)
            raise
        context.weather.accepted(current_time())
        self._deferrals.pop(entry.seq, None)
        for deferral in self._deferrals.values():
            deferral.other_accepted(context.weather.finished)
        context.tell(accepted.state, accepted, request_id=request_id)
        return accepted

    async def _turned_away(self, entry: Entry, answer: Answer) -> Entry:
        """Certainly not taken: the run waits, and the job is pending again with no attempt spent."""
        context, weather = self._context, self._context.weather
        deferral = self._deferrals.setdefault(entry.seq, Deferral())
        others = context.slots.in_use - context.waiting_to_submit - 1
        alone_at_fault = answer.kind is not Kind.NOT_SENT and deferral.turned_away(
            finished=weather.finished, acceptances=weather.acceptances, others=others
        )
        if alone_at_fault:
            return await self._refused(entry, answer)
        now = current_time()
        if answer.kind is Kind.NOT_SENT:
            weather.unreachable(now, answer.message)
        else:
            in_flight = context.slots.in_use
            weather.throttled(now, answer.retry_after_s, in_flight=in_flight, reason=answer.message)
        wait_s = DEFERRAL.delay_s(max(1, deferral.tries), context.uniform())
        not_before = context.wall_clock() + wait_s
        entry = await context.ledger.do(lambda ledger: ledger.not_accepted(entry.seq, not_before=not_before))
        context.tell("paused", None, reason=answer.message, seconds=round(weather.paused_until - now, 1))
        return entry

    async def _refused(self, entry: Entry, answer: Answer) -> Entry:
        error = _error(ErrorCode.REFUSED, answer)
        now = self._context.wall_clock()
        refused = await self._context.ledger.do(lambda ledger: ledger.refused(entry.seq, error, now))
        self._context.weather.read_answered()
        self._context.attempt_ended(failed=True)
        self._context.tell("failed", refused, error=error.as_json())
        return refused

    async def _in_doubt(self, entry: Entry, answer: Answer) -> Entry:
        """It may have been accepted and paid: held, and nothing else is sent before a sign of life."""
        context = self._context
        error = _error(ErrorCode.IN_DOUBT, answer)
        doubted = await context.ledger.do(lambda ledger: ledger.in_doubt(entry.seq, error))
        context.weather.doubted(current_time(), answer.message)
        context.tell("unknown", doubted, error=error.as_json())
        return await self._resubmitted(doubted)

    async def _resubmitted(self, entry: Entry) -> Entry:
        """Let a doubt be submitted again where the user accepted the risk, within the attempts allowed."""
        settings = self._context.settings
        if settings.on_unknown is OnUnknown.HOLD or entry.attempts >= settings.max_attempts:
            return entry
        return await self._context.ledger.do(lambda ledger: ledger.resubmit(entry.seq, fresh=False))


def _error(code: ErrorCode, answer: Answer) -> JobError:
    return JobError(code=code, message=answer.message, service_code=answer.service_code)
