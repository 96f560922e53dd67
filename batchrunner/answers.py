"""What does an answer of the service mean?  One table of kinds, two maps, one ``classify``.

A *Kind* says what an exchange means for us and, above all, whether a submission may be sent again.  The
maps below recognise it: SERVICE_CODES by the service's own ``error_code``, HTTP_STATUS by the status
line; what the transport itself reports (a *Fault*) is mapped by the client.  Pure: no HTTP library here.

Sources of the codes and shapes: the Model API pages "error-codes" and "async-queue-endpoints", and the
behaviour of the official clients.  Why a lost answer is never sent again: docs/decisions/0001-in-doubt.md
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from ._types import Json, RequestId
from .errors import AccountRefused


class Endpoint(StrEnum):
    """Which call was made; the same answer may mean different things to them."""

    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    CANCEL = "cancel"
    MODEL = "model"
    BALANCE = "balance"


class Fault(StrEnum):
    """What the transport reports instead of an answer."""

    NOT_SENT = "not_sent"  # no connection was made: nothing can have arrived
    LOST = "lost"  # something was sent, the answer did not come whole


class Kind(StrEnum):
    """What an exchange means."""

    OK = "ok"  # a readable 2xx without an error in it
    NOT_SENT = "not_sent"  # certainly not taken: may be sent again
    THROTTLED = "throttled"  # certainly not taken: the run slows down
    UNAVAILABLE = "unavailable"  # the service says it is away (a read may also just have failed)
    IN_DOUBT = "in_doubt"  # a submission that may have been accepted and paid: held
    REFUSED = "refused"  # this row's inputs are not acceptable
    ACCOUNT = "account"  # token or balance: the run stops, no job is to blame
    FOREIGN = "foreign"  # the request id is another account's: the run stops
    GONE = "gone"  # the service does not know the request (any more)
    NOT_READY = "not_ready"  # look again later
    CONTRACT = "contract"  # a shape or word we do not know: look again, keep the evidence


SERVICE_CODES: Final[dict[int, Kind]] = {
    400001: Kind.REFUSED,  # InvalidResourceIdentifier: wrong model id
    400002: Kind.ACCOUNT,  # InsufficientResources: no balance left
    400004: Kind.ACCOUNT,  # UserAccountError: token missing, revoked, account inactive
    400005: Kind.NOT_READY,  # the result is not there yet
    403001: Kind.FOREIGN,  # PermissionDeniedError: another user's request
    404001: Kind.GONE,  # ResourceNotFound: unknown, deleted or expired request
    10001: Kind.ACCOUNT,  # the sibling API's "no funds"
}
"""``error_code`` values with a meaning of their own; others are read by their first three digits."""

HTTP_STATUS: Final[dict[int, Kind]] = {
    401: Kind.ACCOUNT,
    402: Kind.ACCOUNT,
    403: Kind.ACCOUNT,
    404: Kind.GONE,
    408: Kind.UNAVAILABLE,
    425: Kind.UNAVAILABLE,
    429: Kind.THROTTLED,
}
"""Statuses with a meaning of their own; other 4xx are refusals, everything else is `UNAVAILABLE`."""

UNSURE: Final = frozenset({408, 409, 425, 499})
"""4xx that speak of the exchange rather than of the inputs: a submission may have been taken all the same."""

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""The form of a request id that the official node pack accepts; also what keeps it safe in a path."""

MESSAGE_KEYS: Final = ("error_message", "message", "error", "detail", "msg")
"""Where the service puts its words, in the order the official client looks; ``msg`` inside a ``detail``."""


class Reply(Struct, frozen=True, kw_only=True):
    """What came back over HTTP, read into values."""

    status: int
    body: Json = None
    """The parsed JSON; None when `readable` is False."""
    readable: bool = True
    """False for a body that is no JSON, cut short, or larger than we read."""
    retry_after_s: float | None = None
    excerpt: str = ""
    """The first characters of an unreadable body, for the message."""


class Answer(Struct, frozen=True, kw_only=True):
    """One exchange, classified."""

    kind: Kind
    message: str = ""
    service_code: int | None = None
    retry_after_s: float | None = None
    body: dict[str, Json] | None = None


def classify(endpoint: Endpoint, reply: Reply | Fault, detail: str = "") -> Answer:
    """Return what *reply* means to a call of *endpoint*.  Total: every reply has an answer."""
    if isinstance(reply, Fault):
        return Answer(kind=_kind_of_fault(endpoint, reply), message=detail or f"no answer ({reply})")
    body = reply.body if isinstance(reply.body, dict) else None
    code = service_code(body)
    kind = _kind(endpoint, reply, body, code)
    return Answer(
        kind=kind,
        message="" if kind is Kind.OK else _message(reply, body, code),
        service_code=code,
        retry_after_s=reply.retry_after_s,
        body=body,
    )


def _kind_of_fault(endpoint: Endpoint, fault: Fault) -> Kind:
    if fault is Fault.NOT_SENT:
        return Kind.NOT_SENT
    return Kind.IN_DOUBT if endpoint is Endpoint.SUBMIT else Kind.UNAVAILABLE


def _kind(endpoint: Endpoint, reply: Reply, body: dict[str, Json] | None, code: int | None) -> Kind:
    success = 200 <= reply.status < 300
    if endpoint is Endpoint.SUBMIT and success and request_id_of(body) is not None:
        return Kind.OK  # an id is something to collect, whatever else the body says
    if code is not None:
        kind = SERVICE_CODES.get(code) or _kind_of_status(_status_in(code) or reply.status)
    elif success:
        kind = Kind.OK if body is not None else Kind.CONTRACT
    elif reply.status == 404 and endpoint in (Endpoint.STATUS, Endpoint.RESULT):
        kind = Kind.CONTRACT  # the service says 404001; a bare 404 may be anybody's on the way
    else:
        kind = _kind_of_status(reply.status)
    return _kind_of_submission(kind, reply, body, code) if endpoint is Endpoint.SUBMIT else kind


def _kind_of_status(status: int) -> Kind:
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    return Kind.REFUSED if 400 <= status < 500 else Kind.UNAVAILABLE


def _kind_of_submission(kind: Kind, reply: Reply, body: dict[str, Json] | None, code: int | None) -> Kind:
    """Sharpen *kind* for the one call that costs money: what is not a clear "no" is a doubt."""
    match kind:
        case _ if reply.status in UNSURE or (reply.status >= 500 and reply.status != 503):
            return Kind.IN_DOUBT  # it broke while it answered: what its body says is no promise
        case Kind.ACCOUNT | Kind.FOREIGN:
            return Kind.ACCOUNT
        case Kind.GONE | Kind.REFUSED:
            return Kind.REFUSED  # an unknown model, or inputs it does not take
        case Kind.THROTTLED:
            return Kind.THROTTLED
        case Kind.UNAVAILABLE if reply.status == 503 and _says_no(reply, body):
            return Kind.UNAVAILABLE
        case _:
            return Kind.IN_DOUBT


def _says_no(reply: Reply, body: dict[str, Json] | None) -> bool:
    """True for a 503 of the service's own (Retry-After, or its JSON error), not of a proxy before it."""
    own = body is not None and (service_code(body) is not None or words_of(body.get("error_message")))
    return reply.retry_after_s is not None or bool(own)


def _status_in(code: int) -> int | None:
    """Return the HTTP status a six-digit service code begins with: 422001 → 422."""
    status = code // 1000
    return status if 400 <= status < 600 else None


def service_code(body: dict[str, Json] | None) -> int | None:
    """Return the error code in *body* (``error_code``, or a long ``code``); None without one.

    A short ``code`` is some HTTP status said again (``"code": 200``), not one of the service's.
    """
    for key, shortest in (("error_code", 1), ("code", 10_000)):
        value = (body or {}).get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and shortest <= value < 10**9:
            return value
    return None


def request_id_of(body: dict[str, Json] | None) -> RequestId | None:
    """Return the request id in *body* when it has the form of one."""
    value = (body or {}).get("request_id")
    return RequestId(value) if isinstance(value, str) and REQUEST_ID.fullmatch(value) else None


def _message(reply: Reply, body: dict[str, Json] | None, code: int | None) -> str:
    words = (_words(body) if body else None) or reply.excerpt or _said(reply) or "no readable answer"
    number = f", code {code}" if code is not None else ""
    return f"HTTP {reply.status}{number}: {without_signatures(words)}"


_SIGNED: Final = re.compile(
    r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*\b(?:X-Amz-|X-Goog-|sig=)[^\s\"'<>]*", re.IGNORECASE
)


def without_signatures(words: str) -> str:
    """Return *words* with presigned addresses cut before their query: no reader of a log may use them."""
    return _SIGNED.sub(r"\1?(signed)", words) if "?" in words else words


def _said(reply: Reply) -> str:
    """Return the beginning of a body without words of its own: evidence, for whoever resolves a doubt."""
    try:
        return json.dumps(reply.body)[:300] if reply.body else ""
    except RecursionError:
        return ""


def _words(body: dict[str, Json], depth: int = 5) -> str | None:
    return next((text for key in MESSAGE_KEYS if (text := words_of(body.get(key), depth))), None)


def words_of(value: Json, depth: int = 5) -> str | None:
    """Return the readable words of an error given as text, as an object, or as a list of either.

    Looks *depth* levels deep: an answer may be nested without end.
    """
    if isinstance(value, str):
        return value.strip() or None
    if depth == 0:
        return None
    if isinstance(value, dict):
        words = _words(value, depth - 1)
        return words or next((t for v in value.values() if (t := words_of(v, depth - 1))), None)
    if isinstance(value, list):
        return "; ".join(text for item in value[:3] if (text := words_of(item, depth - 1))) or None
    return None


def account_refused(answer: Answer, about: str = "the account was refused") -> AccountRefused:
    """Return what ends a run whose account the service refuses, with what the person can do."""
    if answer.kind is Kind.FOREIGN:
        hint = "run with the token of the account that submitted this folder's jobs"
    elif answer.service_code in (400002, 10001) or "402" in answer.message[:8]:
        hint = "top up the balance, then run the same command: every job is as it was"
    else:
        hint = (
            "check RUNCOMFY_API_TOKEN (a regenerated key ends the old one at once), then run the same command"
        )
    return AccountRefused(f"{about}: {answer.message}", hint=hint)
