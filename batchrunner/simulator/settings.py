"""How does this simulated service behave while nothing goes wrong?  (What goes wrong: faults.py.)"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from .._types import Json


class Films(StrEnum):
    """What a finished request's link leads to."""

    REAL = "real"  # a film of the asked size and length with the prompt on it (needs the extra)
    TINY = "tiny"  # always the same few kilobytes, still a real film


class Shape(StrEnum):
    """Where the links stand in a result; all of these have been met."""

    VIDEO = "video"  # {"video": url}
    VIDEOS = "videos"  # {"videos": [url, ...]}
    URL = "url"  # the output itself is the link
    LIST = "list"  # the output itself is a list of links
    NESTED = "nested"  # {"result": {"files": [{"url": url}]}}
    OUTPUTS = "outputs"  # "outputs" instead of "output", by node, as the Serverless API does it


class NotReady(StrEnum):
    """How /result is answered before the end."""

    STATE = "state"  # 200 with the current state
    ERROR = "error"  # HTTP 400 with error_code 400005


class NoBalance(StrEnum):
    """How a submission is refused that the balance does not cover."""

    CODE = "code"  # HTTP 400 with error_code 400002, as the documentation has it
    HTTP = "402"  # HTTP 402, as official clients expect it


class SimulatorSettings(Struct, frozen=True, kw_only=True):
    """All of it is deterministic: the same settings, submissions and instants give the same answers."""

    slots: int = 4
    """Requests worked on at once; the others wait in line, first come, first served."""
    service_time_s: float = 4.0
    """Median time in a slot."""
    spread: float = 0.25
    """Sigma of the lognormal service time; 0 makes every request take the median."""
    latency_s: float = 0.0
    """Time from a request's arrival to its answer."""
    films: Films = Films.REAL
    seed: int = 0
    price_usd: float = 0.02
    """Per second of film, or per output where there is no duration (US dollars); for the models that have no
    price of their own in the simulator's catalogue."""
    balance_usd: float = 1_000_000.0
    no_balance: NoBalance = NoBalance.CODE
    fail_share: float = 0.0
    """Share of requests (0 to 1) whose generation fails; another try of the same inputs is drawn anew."""
    moderated_word: str | None = None
    """A request with this word in its text inputs fails with a moderation message."""
    shape: Shape = Shape.VIDEO
    outputs: int = 1
    """Links per finished request, where the shape can hold several."""
    result_word: str = "succeeded"
    """The end word on /result; the service has been seen to say ``completed``, too."""
    not_ready: NotReady = NotReady.STATE
    strict: bool = False
    """Refuse inputs outside the schema with 422; the service itself has queued nonsense values."""
    models: Mapping[str, Json] = field(default_factory=dict)
    """Further models it knows, by id, each with its input schema; the bundled ones are always known."""
