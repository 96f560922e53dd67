"""Is a submission accepted, and if not, in which words is it refused?

As lax as the service: it has queued an enum value that does not exist.  Only with ``strict`` are inputs
compared with the model's schema.
"""

from __future__ import annotations

import json
from typing import Final

from msgspec import Struct

from .._types import Inputs, Json
from .catalogue import Catalogue
from .routes import Call
from .settings import NoBalance
from .wire import Answer, error_answer, json_answer

ROUNDING_USD: Final = 1e-7
"""Money here is floats rounded to micro-dollars; a tenth of one is a rounding error, not a debt."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Nothing was accepted; `answer` says why."""

    answer: Answer


def check_submission(
    call: Call, catalogue: Catalogue, *, left_usd: float, strict: bool, no_balance: NoBalance
) -> Inputs | Refusal:
    """Return the inputs of an acceptable submission."""
    if call.name not in catalogue:
        message = f"InvalidResourceIdentifier: there is no model {call.name!r}"
        return Refusal(answer=error_answer(404, 400001, message))
    inputs = _object(call.request.body)
    if inputs is None:
        return Refusal(answer=error_answer(400, None, "the body must be a JSON object"))
    if strict and (detail := _detail(call.name, catalogue, inputs)):
        return Refusal(answer=json_answer(422, {"detail": detail}))
    cost_usd = catalogue.price_usd(call.name, inputs)
    if cost_usd > left_usd + ROUNDING_USD:
        message = f"InsufficientResources: {left_usd:.2f} USD left, {cost_usd:.2f} USD needed"
        by_code = no_balance is NoBalance.CODE
        return Refusal(
            answer=error_answer(400, 400002, message) if by_code else error_answer(402, None, message)
        )
    return inputs


def _object(body: bytes) -> Inputs | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _detail(model: str, catalogue: Catalogue, inputs: Inputs) -> list[Json]:
    from ..models import InputSchema  # jsonschema is slow to import, and only needed here

    schema = InputSchema.parse(model, catalogue.schemas[model])
    return [
        {"loc": ["body", str(p.field)], "msg": p.message, "type": "value_error"}
        for p in schema.problems(inputs)
    ]
