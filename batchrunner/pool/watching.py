"""From the request id to the service's verdict: looks spaced by policy, and what the verdict leaves."""

from __future__ import annotations

import anyio

from .._types import JobError, RequestId
from ..answers import (
    CancelledThere,
    Done,
    FailedThere,
    Gone,
    News,
    Running,
    Stop,
    Trouble,
    read_result,
    read_status,
)
from ..errors import AccountRefused, ErrorCode
from ..ledger import Entry
from ..lifecycle import State
from ..policy.backoff import GENERATION
from ..policy.looking import LookAgain, TimedOut, Verdict, Watch
from ..policy.retry import may_retry
from ..settings import OnInterrupt
from ..waiting import Slot
from .cancelling import take_back
from .context import Context


async def watch(context: Context, entry: Entry, slot: Slot, *, at_once: bool) -> Entry:
    """Look at a submitted job until there is a verdict or the time for it is over; the slot is freed early.

    *at_once*: the job was submitted by an earlier run and may be done already.
    """
    settings, now = context.settings, anyio.current_time()
    watching = Watch(
        interval_s=settings.poll_interval_s, deadline=now + settings.job_timeout_s, uniform=context.uniform
    )
    decision = LookAgain(after_s=0 if at_once else settings.poll_interval_s)
    if at_once:
        context.tell("collecting", entry, request_id=entry.request_id)
    while True:
        if decision.service_done:
            slot.release()
        await anyio.sleep(decision.after_s + context.weather.read_wait_s(anyio.current_time()))
        news = await _look(context, entry, at_result=decision.at_result)
        if _to_be_taken_back(context, news):
            entry = await take_back(context, entry)
            if entry.state is not State.SUBMITTED:
                return entry
        verdict = watching.decide(news, anyio.current_time())
        if not isinstance(verdict, LookAgain):
            slot.release()
            return await _record(context, entry, verdict)
        decision = verdict


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
    weather, now = context.weather, anyio.current_time()
    if not isinstance(news, Trouble):
        weather.read_answered()
        return
    answer = news.answer
    if answer.retry_after_s is not None or answer.kind == "throttled":
        weather.throttled(now, answer.retry_after_s, in_flight=context.slots.in_use, reason=answer.message)
        context.tell("paused", None, reason=answer.message, seconds=round(weather.paused_until - now, 1))
    elif answer.kind in ("unavailable", "not_sent"):
        weather.read_failed(now)
    context.changed.report()


async def _record(context: Context, entry: Entry, verdict: Verdict) -> Entry:
    """Write the verdict down, durably, and tell of it."""
    context.weather.finished_one(anyio.current_time())
    if isinstance(verdict, Done | FailedThere | Gone):
        context.attempt_ended(failed=not (isinstance(verdict, Done) and verdict.outputs))
    match verdict:
        case Stop(answer=answer):
            raise AccountRefused(f"{entry.id}: {answer.message}")
        case Done(outputs=()):
            error = JobError(code=ErrorCode.NO_OUTPUT, message="finished, but the service names no output")
            return await _give_up(context, entry, error, verdict.cost_usd)
        case Done():
            return await _done(context, entry, verdict)
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


async def _done(context: Context, entry: Entry, verdict: Done) -> Entry:
    now = context.wall_clock()
    done = await context.ledger.do(
        lambda ledger: ledger.done(entry.seq, verdict.outputs, verdict.cost_usd, now)
    )
    context.tell("ready", done, outputs=len(verdict.outputs))
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
    context.tell("retrying", pending, error=error.as_json(), attempt=entry.attempts)
    return pending


async def _give_up(context: Context, entry: Entry, error: JobError, cost_usd: float | None) -> Entry:
    now, without_output = context.wall_clock(), error.code == ErrorCode.NO_OUTPUT
    failed = await context.ledger.do(
        lambda ledger: (ledger.no_output if without_output else ledger.gave_up)(
            entry.seq, error, cost_usd, now
        )
    )
    context.tell("failed", failed, error=error.as_json())
    return failed


async def _cancelled(context: Context, entry: Entry) -> Entry:
    error = JobError(code=ErrorCode.CANCELLED_REMOTELY, message="cancelled at the service")
    now = context.wall_clock()
    cancelled = await context.ledger.do(lambda ledger: ledger.cancelled_there(entry.seq, error, now))
    context.tell("cancelled", cancelled, error=error.as_json())
    return cancelled
