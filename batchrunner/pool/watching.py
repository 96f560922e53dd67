"""From the request id to the service's verdict: looks spaced by policy, and what the verdict leaves."""

from __future__ import annotations

import anyio
from msgspec.structs import replace

from .._types import JobError, RequestId
from ..answers import account_refused
from ..errors import ErrorCode
from ..event_loop import clock, current_time
from ..ledger import Entry, Store
from ..lifecycle import State
from ..news import (
    CancelledThere,
    Done,
    Ended,
    FailedThere,
    Gone,
    News,
    Running,
    Stop,
    Trouble,
    read_result,
    read_status,
)
from ..policy.backoff import GENERATION
from ..policy.looking import TIMED_OUT, LookAgain, TimedOut, Verdict, Watch
from ..policy.retry import may_retry
from ..policy.runtimes import key_of
from ..policy.spacing import Lookout, on_the_beat
from ..settings import OnInterrupt, PollSpacing
from ..waiting import Slot
from .cancelling import take_back
from .context import Context

RunTime = tuple[float, float]
"""Between what and what a job's run time lay (seconds), as far as the looks show it."""


async def watch(context: Context, entry: Entry, slot: Slot, *, at_once: bool) -> Entry:
    """Look at a submitted job until there is a verdict or the time for it is over; the slot is freed early.

    *at_once*: the job was submitted by an earlier run and may be done already.
    """
    time = clock()
    lookout = _lookout(context, entry, taken_over=at_once)
    watching = _watching(context, lookout)
    first_s = 0.0 if at_once else lookout.first_s(time(), context.uniform(), context.crowd)
    decision = LookAgain(after_s=first_s)
    ran: RunTime | None = None
    context.forecast.began(entry.seq, key_of(entry.model, entry.inputs), time())
    if at_once:
        context.tell("collecting", entry, request_id=entry.request_id)
    while True:
        if decision.service_done:
            slot.release()
        now = time()
        shortest_s = context.settings.poll_interval_s - (now - lookout.looked_at)
        await context.until_look.sleep(entry.seq, until=on_the_beat(decision.after_s, now, shortest_s))
        if context.looks_take_turns(time()) and not await _wait_for_turn(context, watching, decision):
            return await _record(context, entry, TIMED_OUT, ran)
        lookout.looked_at = time()
        news = await _look(context, entry, at_result=decision.at_result)
        if _to_be_taken_back(context, news):
            entry = await take_back(context, entry)
            if entry.state is not State.SUBMITTED:
                context.forecast.ended(entry.seq, time())
                return entry
        now = time()
        if ran is None and isinstance(news, Ended | Done | FailedThere):
            ran = lookout.ended(now)
            context.forecast.ended(entry.seq, now)
        unconfirmed = watching.unconfirmed
        verdict = watching.decide(news, now)
        if not isinstance(verdict, LookAgain):
            slot.release()
            context.forecast.ended(entry.seq, now)
            return await _record(context, entry, verdict, ran)
        if watching.unconfirmed != unconfirmed:
            _tell_of_doubt(context, entry, watching.unconfirmed)
        decision = verdict


def _tell_of_doubt(context: Context, entry: Entry, unconfirmed: str | None) -> None:
    """Tell that a bad verdict is being looked at again, or that it runs all the same."""
    if unconfirmed is None:
        context.tell("confirmed_running", entry)
    else:
        context.tell("unconfirmed", entry, message=unconfirmed)


def _lookout(context: Context, entry: Entry, *, taken_over: bool) -> Lookout:
    waited_s = max(0.0, context.wall_clock() - entry.submitted_at) if entry.submitted_at else 0.0
    accepted_at = current_time() - waited_s
    key = key_of(entry.model, entry.inputs)
    return context.spacing.lookout(key, accepted_at=accepted_at, taken_over=taken_over)


def _watching(context: Context, lookout: Lookout) -> Watch:
    """Return what judges the looks; it places them by what is known of run times, or evenly."""
    settings = context.settings

    def learned_s(news: Running, now: float) -> float:
        if news.in_queue:
            return lookout.queued_s(now, news.queue_position, context.uniform())
        return lookout.running_s(now, context.uniform(), context.crowd)

    def fixed_s(news: Running, now: float) -> float:
        return context.settings.poll_interval_s * (1 + 0.25 * context.uniform())

    return Watch(
        waiting_s=learned_s if settings.poll_spacing is PollSpacing.LEARNED else fixed_s,
        deadline=current_time() + settings.job_timeout_s,
        uniform=context.uniform,
    )


async def _wait_for_turn(context: Context, watching: Watch, decision: LookAgain) -> bool:
    """Wait out the run's pause and keep to the budget of looks; False when the job's time ends first."""
    now = current_time()
    pause_s = context.weather.read_wait_s(now)
    if pause_s and watching.is_too_late(decision, now + pause_s):
        await anyio.sleep(max(0.0, watching.deadline - now))
        return False
    if pause_s > 0:
        await anyio.sleep(pause_s)
    if context.settings.poll_rate is not None:
        await anyio.sleep(context.pacer.turn_s(current_time()))
    return True


def _to_be_taken_back(context: Context, news: News) -> bool:
    """Return whether this request waits in the queue of a run that was told to take such ones back."""
    wanted = context.settings.on_interrupt is OnInterrupt.CANCEL_QUEUED and context.stopping.interrupted
    return wanted and isinstance(news, Running) and news.in_queue


async def _look(context: Context, entry: Entry, *, at_result: bool) -> News:
    request_id = RequestId(entry.request_id or "")
    if at_result:
        news = read_result(await context.client.result(request_id), request_id)
    else:
        news = read_status(await context.client.status(request_id), request_id)
    report_read(context, news)
    return news


def report_read(context: Context, news: News) -> None:
    """Let the run's weather know how a read went."""
    weather = context.weather
    if not isinstance(news, Trouble):
        weather.read_answered()
        return
    now, answer = current_time(), news.answer
    if answer.retry_after_s is not None or answer.kind == "throttled":
        weather.throttled(now, answer.retry_after_s, in_flight=context.slots.in_use, reason=answer.message)
        weather.read_failed(now)  # a service that only ever asks for patience is away, too
        context.tell("paused", None, reason=answer.message, seconds=round(weather.paused_until - now, 1))
    elif answer.kind in ("unavailable", "not_sent"):
        weather.read_failed(now)
    context.changed.report()


async def _record(context: Context, entry: Entry, verdict: Verdict, ran: RunTime | None) -> Entry:
    """Write the verdict down, durably, and tell of it."""
    context.weather.finished_one(current_time())
    if isinstance(verdict, Done | FailedThere | Gone):
        context.attempt_ended(failed=not (isinstance(verdict, Done) and verdict.outputs))
    match verdict:
        case Stop(answer=answer):
            raise account_refused(answer, entry.id)
        case Done(outputs=()):
            error = JobError(code=ErrorCode.NO_OUTPUT, message="finished, but the service names no output")
            return await _give_up(context, entry, error, verdict.cost_usd)
        case Done():
            return await _done(context, entry, verdict, ran)
        case FailedThere():
            return await _failed(context, entry, verdict)
        case CancelledThere():
            return await _cancelled(context, entry)
        case Gone(message=message, service_code=code):
            lost = JobError(code=ErrorCode.RESULT_LOST, message=message, service_code=code)
            return await _give_up(context, entry, lost, None)
        case TimedOut(error=error):
            context.tell("job_timeout", entry, error=error.as_json())
            return await context.ledger.do(lambda ledger: ledger.note(entry.seq, error))


async def _done(context: Context, entry: Entry, verdict: Done, ran: RunTime | None) -> Entry:
    now = context.wall_clock()

    def step(ledger: Store) -> Entry:
        done = ledger.done(entry.seq, verdict.outputs, verdict.cost_usd, now, ran)
        return replace(done, outputs=tuple(ledger.artifacts(done.seq, done.generation)))

    # Its slot is free by now: only its download waits.
    done = await context.ledger.do(step, patiently=context.is_busy)
    context.tell("ready", done, outputs=len(verdict.outputs), cost_usd=verdict.cost_usd)
    return done


async def _failed(context: Context, entry: Entry, verdict: FailedThere) -> Entry:
    error = verdict.error
    if not may_retry(error, entry.attempts, context.settings.max_attempts):
        return await _give_up(context, entry, error, verdict.cost_usd)
    now = context.wall_clock()
    not_before = now + GENERATION.delay_s(max(1, entry.attempts), context.uniform())
    pending = await context.ledger.do(
        lambda ledger: ledger.failed_there(entry.seq, error, verdict.cost_usd, now, not_before)
    )
    context.tell(
        "retrying", pending, error=error.as_json(), attempt=entry.attempts, cost_usd=verdict.cost_usd
    )
    return pending


async def _give_up(context: Context, entry: Entry, error: JobError, cost_usd: float | None) -> Entry:
    now, without_output = context.wall_clock(), error.code == ErrorCode.NO_OUTPUT
    failed = await context.ledger.do(
        lambda ledger: (ledger.no_output if without_output else ledger.gave_up)(
            entry.seq, error, cost_usd, now
        )
    )
    context.tell("failed", failed, error=error.as_json(), cost_usd=cost_usd)
    return failed


async def _cancelled(context: Context, entry: Entry) -> Entry:
    error = JobError(code=ErrorCode.CANCELLED_REMOTELY, message="cancelled at the service")
    now = context.wall_clock()
    cancelled = await context.ledger.do(lambda ledger: ledger.cancelled_there(entry.seq, error, now))
    context.tell("cancelled", cancelled, error=error.as_json())
    return cancelled
