"""Taking back what the service has not begun: only a queued request can be cancelled.

A running one runs on and is billed; a cancel that fails leaves the job as it was.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Final

import anyio

from .._types import JobError, RequestId
from ..answers import Answer, Kind, account_refused
from ..client import Client
from ..errors import ErrorCode
from ..ledger import Entry, Store
from ..lifecycle import State
from ..news import CANCEL_WORDS
from ..policy.backoff import POLL_ERROR
from .context import Context

TRIES: Final = 3

LONGEST_WAIT_S: Final = 5.0
"""A cancel is tried again briefly, whatever wait the service asks for."""


class Cancelled(StrEnum):
    """What became of a request to cancel."""

    CONFIRMED = "confirmed"  # it will not run and not be billed
    RUNS_ON = "runs_on"  # it has begun or ended already
    FAILED = "failed"  # the service gave no clear answer


async def cancel_request(client: Client, request_id: RequestId, uniform: float) -> Cancelled:
    """Ask the service to cancel a request; an unanswered call is made again, briefly.

    Raises AccountRefused when the token is no good.
    """
    for tries in range(1, TRIES + 1):
        answer = await client.cancel(request_id)
        if answer.kind is Kind.OK:
            return _read(answer)
        if answer.kind in (Kind.ACCOUNT, Kind.FOREIGN):
            raise account_refused(answer)
        if answer.kind not in (Kind.NOT_SENT, Kind.UNAVAILABLE, Kind.THROTTLED) or tries == TRIES:
            break
        await anyio.sleep(min(answer.retry_after_s or POLL_ERROR.delay_s(tries, uniform), LONGEST_WAIT_S))
    return Cancelled.FAILED


async def take_back(context: Context, entry: Entry) -> Entry:
    """Cancel a queued request for an interrupted run; once that is confirmed the job is pending again."""
    outcome = await cancel_request(context.client, RequestId(entry.request_id or ""), context.uniform())
    if outcome is not Cancelled.CONFIRMED:
        return entry
    error = JobError(code=ErrorCode.CANCELLED_REMOTELY, message="taken back when the run was interrupted")
    now = context.wall_clock()
    taken = await context.ledger.do(partial(Store.take_back, seq=entry.seq, error=error, now=now))
    context.tell("taken_back", taken, request_id=entry.request_id)
    return taken


async def take_back_all(context: Context, grace_s: float) -> None:
    """Do the same for every request of a run that was stopped at once, as far as *grace_s* allows."""
    seqs = await context.ledger.do(partial(Store.seqs, state=State.SUBMITTED))

    async def one(seq: int) -> None:
        await take_back(context, await context.ledger.do(partial(Store.entry, seq=seq)))

    with anyio.move_on_after(grace_s):
        async with anyio.create_task_group() as tasks:
            for seq in seqs:
                tasks.start_soon(one, seq)


def _read(answer: Answer) -> Cancelled:
    """Read ``outcome``: the documented example pairs it with a status that says something else."""
    body = answer.body or {}
    if body.get("outcome") == "cancelled" or body.get("status") == "cancelled":
        return Cancelled.CONFIRMED
    return Cancelled.FAILED if str(body.get("outcome")).lower() in CANCEL_WORDS else Cancelled.RUNS_ON
