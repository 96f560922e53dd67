"""How is a big manifest read by two processes?

Reading and checking take as long as inserting, and neither lets go of the interpreter.  The other process
reads the manifest, or a part of it, as this one would.  Over a pipe come its jobs, as the texts that are kept
of them or as what is remembered of them, and its problems as they are.  It knows no network: what the
catalogue says of a model it asks this process for.  It is for speed alone: where it does not come to its end,
for whatever reason, the manifest is read here.
Why: docs/decisions/0027-read-by-a-second-process.md
"""

from __future__ import annotations

import fcntl
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeAlias, cast

from msgspec import Struct

from .._types import Job, Json, Problem
from ..models.schemas import Missing
from ..second_process import started
from ..staging import LocalImage
from .job_block import WrittenBlock
from .parts import WHOLE, Part
from .repeated import IdBlock

AHEAD_BYTES: Final = 2**20
"""What may wait in the pipe, where the system lets us choose: three statements' worth of rows."""

PROTOCOL: Final = 5

THERE: Final = f"{__package__}.told"
"""What the other process does."""


class NotRead(Exception):
    """The other process did not come to its end."""


class Asked(Struct, frozen=True, kw_only=True):
    """What the other process is to read."""

    source: str
    input_format: str | None
    model: str | None
    may_stage: bool
    schema_files: tuple[Path, ...]
    schemas_digest: str
    """What the schemas are, once the files are read again."""
    counting: tuple[str, ...] = ()
    """Inputs in which jobs may be alike."""
    part: Part = WHOLE
    only_ids: bool = False
    """Whether jobs are looked at and not kept."""


class Question(NamedTuple):
    """What does the catalogue say of this model?"""

    model: str


class Ended(NamedTuple):
    """All was read."""

    files: Mapping[str, str | None]
    """What was read, each with its digest from just before."""
    images: list[LocalImage]


Told: TypeAlias = Job | WrittenBlock | IdBlock | Problem
"""What is found, in the manifest's order."""


@contextmanager
def read_beside(asked: Asked, published: Callable[[str], Json | Missing]) -> Iterator[Iterator[Told | Ended]]:
    """Let another process begin, and give what it finds, at last how it ended.

    *published* says what the catalogue has of a model.  Raises NotRead, also at each step.
    """
    try:
        with started(THERE) as process:
            hears, tells = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            with suppress(OSError, AttributeError):  # Linux only
                fcntl.fcntl(tells, fcntl.F_SETPIPE_SZ, AHEAD_BYTES)
            send(hears, asked)
            yield _found(hears, tells, published)
    except OSError as error:
        raise NotRead from error


def _found(
    hears: IO[bytes], tells: IO[bytes], published: Callable[[str], Json | Missing]
) -> Iterator[Told | Ended]:
    while not isinstance(found := receive(tells), Ended):
        if isinstance(found, Question):
            try:
                send(hears, published(found.model))
            except OSError as error:
                raise NotRead from error
        else:
            yield found
    yield found


def send(stream: IO[bytes], what: object) -> None:
    pickle.dump(what, stream, PROTOCOL)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Raises NotRead at the end of *stream*, and for whatever else may stand there."""
    try:
        return pickle.load(stream)  # noqa: S301 (it comes from the other one of us two)
    except Exception as error:
        raise NotRead from error
