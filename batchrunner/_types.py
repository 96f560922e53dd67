"""The frozen values that more than one room passes on.

Nothing here does anything: a value says what is known, the rooms decide and act.
Instants are Unix seconds (``*_at``), durations seconds (``*_s``), sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, NewType, TypeAlias

from msgspec import Struct

JobId = NewType("JobId", str)
"""Our id of a job: the manifest's ``id``, or made from the fingerprint."""

RequestId = NewType("RequestId", str)
"""The service's id of one accepted submission."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Inputs: TypeAlias = "dict[str, Json]"


class Place(NamedTuple):
    """Where something stands in a manifest.

    A named tuple, as `Job` is: a manifest may have a million of them, made in a third of a dataclass's time.
    """

    file: str
    """The file's name as the user gave it (``<stdin>`` for standard input)."""
    line: int
    """The line it stands on, from 1."""
    row: int
    """The line its row starts on, from 1."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing wrong in a manifest, with the place and what to do about it."""

    place: Place
    message: str
    """What is wrong and what is allowed, in one sentence, without the place."""
    id: str | None = None
    """The row's id where it is known."""
    field: str | None = None
    """The input or column, such as ``duration`` or ``images[1]``; None when the row as a whole is meant."""
    hint: str | None = None
    """What the author can do, when the message does not say it already."""
    is_shared: bool = False
    """Whether it may be that of many rows, and is said of the first one only."""

    def __str__(self) -> str:
        where = f"{self.place.file}:{self.place.line}"
        who = f" job {self.id!r}" if self.id else ""
        what = f" {self.field}:" if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}:{who}{what} {self.message}{hint}"

    def as_json(self) -> dict[str, Json]:
        """The same as data, as ``validate --json`` gives it."""
        message = f"{self.message} ({self.hint})" if self.hint else self.message
        place = self.place
        return {"file": place.file, "line": place.line, "row": place.row,
                "id": self.id, "field": self.field, "message": message}  # fmt: skip


class Job(NamedTuple):
    """A validated row with an id: what will be sent, and what is kept beside the result."""

    id: JobId
    place: Place
    model: str
    inputs: Inputs
    """Exactly what the submission sends, typed by the model's schema."""
    meta: Inputs
    """Kept beside the result, never sent."""


class Output(Struct, frozen=True, kw_only=True):
    """One link the service gave for a finished request."""

    key: str
    """The path under ``output``, such as ``video`` or ``videos[1]``."""
    url: str


class JobError(Struct, frozen=True, kw_only=True):
    """Why a job is where it is; `code` is one of errors.ErrorCode, and usable with ``--retry``."""

    code: str
    message: str
    service_code: int | None = None

    def as_json(self) -> dict[str, Json]:
        return {"code": self.code, "message": self.message, "service_code": self.service_code}


Headers: TypeAlias = Mapping[str, str]
