"""What does the other process do that reads a manifest beside this one?

It reads what it is asked to, and tells what it finds: jobs as the texts that are kept of them, or as what is
remembered of them, and problems as they are.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator

from .._types import Json
from ..collector import rarely_collected
from ..models import Schemas
from ..models.schemas import Missing
from .beside import PROTOCOL, Asked, Ended, Question, Told, receive, send
from .job_block import JobBlock
from .named import NamedManifest
from .repeated import ids_of


def serve() -> None:
    """Read what standard input asks for, and tell standard output what is found.

    Whatever goes wrong ends it.
    """
    hears, tells = sys.stdin.buffer, sys.stdout.buffer
    asked: Asked = receive(hears)

    def published(model: str) -> Json | Missing:
        send(tells, Question(model))
        answer: Json | Missing = receive(hears)
        return answer

    with rarely_collected():
        for told in told_of(asked, published):
            pickle.dump(told, tells, PROTOCOL)
    tells.flush()


def told_of(asked: Asked, published: Callable[[str], Json | Missing]) -> Iterator[Told | Ended]:
    """Yield what the manifest holds as it is told.  Raises ValueError for schemas that are others now."""
    schemas = Schemas(asked.schema_files, published)
    if schemas.digest() != asked.schemas_digest:
        raise ValueError("a schema file has changed")
    manifest = NamedManifest(
        source=asked.source,
        input_format=asked.input_format,
        model=asked.model,
        schemas=schemas,
        may_stage=asked.may_stage,
    )
    for found in manifest.rows(noting=not asked.only_ids, part=asked.part):
        if not isinstance(found, JobBlock):
            yield found
        elif asked.only_ids:
            yield ids_of(found)
        else:
            yield found.written(asked.counting)
    yield Ended(manifest.files_read(), manifest.local_images())
