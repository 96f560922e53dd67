"""Before the first cent: one free read a model, which shows whether token and model are good."""

from __future__ import annotations

from ..answers import Answer, Kind, account_refused
from ..event_loop import current_time
from .context import Context


async def preflight(context: Context, models: list[str]) -> bool:
    """Look every model up in the catalogue; return False when the run was stopped meanwhile.

    A catalogue that is silent or does not know a model only warns: it may be wrong, the submission will
    tell.  A refused account raises AccountRefused; a service that can't be reached is an outage.
    """
    for model in models:
        answer = await _reach(context, model)
        if answer is None:
            return False
        if answer.kind in (Kind.ACCOUNT, Kind.FOREIGN):
            raise account_refused(answer)
        if answer.kind is not Kind.OK:
            words = f"the catalogue does not confirm {model}: {answer.message}; submissions will tell"
            context.tell("warning", message=words)
    return True


async def _reach(context: Context, model: str) -> Answer | None:
    """Read one catalogue entry, waiting for the service while it can't be reached or asks for patience."""
    weather = context.weather
    while not context.stopping.requested:
        answer = await context.client.model(model)
        now = current_time()
        match answer.kind:
            case Kind.NOT_SENT:
                weather.unreachable(now, answer.message)
            case Kind.THROTTLED:
                weather.throttled(now, answer.retry_after_s, in_flight=0, reason=answer.message)
            case _:
                weather.read_answered()
                return answer
        context.waiting_to_submit += 1
        context.changed.report()
        context.tell("paused", None, reason=answer.message, seconds=round(weather.paused_until - now, 1))
        while current_time() < weather.paused_until and not context.stopping.requested:
            await context.changed.wait(weather.paused_until)
        context.waiting_to_submit -= 1
    return None
