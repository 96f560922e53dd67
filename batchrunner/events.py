"""What a run tells as it goes: one small value an event, for display, log, ``--json`` and callbacks."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from ._types import JobId, Json


class RunEvent(Struct, frozen=True, kw_only=True):
    """Something happened, at an instant (Unix seconds), to one job or to the run."""

    name: str
    at: float
    id: JobId | None = None
    data: dict[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        job: dict[str, Json] = {} if self.id is None else {"id": self.id}
        return {"event": self.name, "at": round(self.at, 3), **job, **self.data}


Listener = Callable[[RunEvent], None]
"""Called on the run's own thread, in order; must return soon."""
