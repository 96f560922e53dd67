"""What has the simulated service seen?  For tests, in this process or over ``/_simulator``.

The counters prove what clients only claim: that no prompt was accepted twice, that no token went to a file
host. Tokens themselves are not kept, only the first hex digits of their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._types import Json
from .bodies import phase
from .fault_text import read_faults
from .routes import Call, Endpoint
from .wire import Answer, Request, error_answer, json_answer

if TYPE_CHECKING:
    from .rules import Service

_COUNTED = {
    Endpoint.SUBMIT: "posts",
    Endpoint.STATUS: "polls",
    Endpoint.RESULT: "results",
    Endpoint.CANCEL: "cancels",
    Endpoint.MODELS: "lookups",
    Endpoint.CATEGORIES: "lookups",
    Endpoint.MODEL: "lookups",
    Endpoint.BALANCE: "lookups",
    Endpoint.FILE: "downloads",
}


class Sight:
    """Counters, and who was seen where."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(
            dict.fromkeys([*_COUNTED.values(), "accepted", "max_in_flight"], 0)
        )
        self.tokens: set[str] = set()
        """Marks of the tokens that came with calls of the API."""
        self.tokens_at_files: set[str] = set()
        """Marks of the tokens that came with downloads; a careful client sends none."""

    def note(self, call: Call) -> None:
        """Count a call."""
        self.counts[_COUNTED[call.endpoint]] += 1
        credentials = call.request.headers.get("authorization")
        if credentials is not None:
            seen = self.tokens_at_files if call.endpoint is Endpoint.FILE else self.tokens
            seen.add(mark_of(credentials))

    def accepted(self, in_flight: int) -> None:
        """Count an acceptance that makes *in_flight* unfinished requests."""
        self.counts["accepted"] += 1
        self.counts["max_in_flight"] = max(self.counts["max_in_flight"], in_flight)


def mark_of(credentials: str) -> str:
    """What is kept of an Authorization header."""
    return hashlib.sha256(credentials.removeprefix("Bearer ").encode()).hexdigest()[:12]


def inspection(service: Service, request: Request, now: float) -> Answer | None:
    """Answer the simulator's own pages below ``/_simulator``; None for any other."""
    match request.method, request.path:
        case "GET", "/_simulator/requests":
            return json_answer(200, _everything(service, now))
        case "POST", "/_simulator/faults":
            return _more_faults(service, request, now)
        case "DELETE", "/_simulator/faults":
            service.faults.clear()
            return json_answer(200, {"faults": 0})
        case _:
            return None


def _everything(service: Service, now: float) -> dict[str, Json]:
    sight = service.sight
    return {
        "requests": list(_requests(service, now)),
        "counters": dict(sight.counts),
        "tokens": [*sorted(sight.tokens)],
        "tokens_at_files": [*sorted(sight.tokens_at_files)],
    }


def _requests(service: Service, now: float) -> Iterator[dict[str, Json]]:
    for record in service.accepted:
        yield {
            "request_id": record.request_id,
            "model": record.model,
            "inputs": record.inputs,
            "accepted_at": record.accepted_at,
            "start_at": record.start_at,
            "end_at": record.end_at,
            "state": phase(record, now).value,
            "fate": record.fate.value,
            "cost_usd": record.cost_usd,
        }


def _more_faults(service: Service, request: Request, now: float) -> Answer:
    try:
        faults = read_faults(json.loads(request.body))
    except ValueError as error:
        return error_answer(400, None, str(error))
    service.faults.add(faults, now)
    return json_answer(200, {"faults": len(faults)})
