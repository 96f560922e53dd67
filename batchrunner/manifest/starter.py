"""What does a first manifest look like, for a model and for the rows of somebody's table?

Text in YAML, pure.  Values are written as JSON, which YAML reads with the same meaning; comments say what
each input takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from .._types import Inputs, Job, Json
from ..models import InputSchema
from ..models.describe import Described, describe
from ..models.wording import bare
from ..names import printable
from ..staging.reference import with_addresses
from .names import GROUPS, ID, MODEL

PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED: Final = frozenset({ID, MODEL, *GROUPS})
ABOUT_CHARACTERS: Final = 200


def starter(schema: InputSchema, inputs: Inputs, file: str) -> str:
    """Return a commented manifest with one job of *inputs*; *file* is what it will be called."""
    lines = [*_head(schema.model, file), ""]
    optional = [one for one in describe(schema) if not one.is_required]
    if optional:
        lines += ["# What all jobs share; a job may say otherwise.  Remove the # to use a line.", "defaults:"]
        if not any(one.default is not None for one in optional):
            lines[-1] = "# defaults:"
    for one in optional:
        value = (
            f"{_key(one.name)}: {_yaml(one.default)}" if one.default is not None else f"# {_key(one.name)}:"
        )
        lines += [f"  # {_says(one)}", f"  {value}"]
    lines += ["", "jobs:", "  - id: first        # names the result; leave it out and one is made"]
    for one in describe(schema):
        if one.name in inputs:
            lines += [f"    # {_says(one)}", f"    {_key(one.name)}: {_yaml(inputs[one.name])}"]
    return "\n".join(lines) + "\n"


def from_table(
    schema: InputSchema,
    jobs: Iterable[Job],
    named: frozenset[str],
    columns: Mapping[str, str],
    file: str,
    images: Mapping[str, str],
) -> Iterator[str]:
    """Yield the lines of a manifest of *jobs*.

    *named* holds the ids that the table itself gave; *columns* says what each column became; *images* gives
    the path of each local image that jobs hold a reference to.
    """
    yield from _head(schema.model, file)
    yield "#"
    yield from (f"# column {_brief(column)} -> {_brief(key)}" for column, key in columns.items())
    yield ""
    yield "jobs:"
    for job in jobs:
        job = job._replace(inputs=with_addresses(job.inputs, images))
        yield from _job(job, with_id=job.id in named)


def _job(job: Job, *, with_id: bool) -> Iterator[str]:
    fields: list[tuple[str, Json]] = [("id", job.id)] if with_id else []
    fields += [(f"input.{name}" if name in RESERVED else name, value) for name, value in job.inputs.items()]
    if job.meta:
        fields.append(("meta", job.meta))
    for number, (name, value) in enumerate(fields):
        yield f"  {'- ' if number == 0 else '  '}{_quoted(name)}: {_yaml(value)}"


def _head(model: str, file: str) -> Sequence[str]:
    return (
        f"# Jobs for {model}.",
        f"# Check them: batchrunner validate {_brief(file)}; what they cost: batchrunner plan.",
        f"model: {_yaml(model)}",
    )


def _says(one: Described) -> str:
    """Return what an input takes, as a comment that stays on its line."""
    need = "needed; " if one.is_required else ""
    default = f"; default {bare(one.default)}" if one.default is not None else ""
    about = f"{one.about}: " if one.about else ""
    return printable(f"{about}{need}{one.takes}{default}", ABOUT_CHARACTERS)


def _brief(text: str) -> str:
    return printable(text, ABOUT_CHARACTERS)


def _key(name: str) -> str:
    return _quoted(f"input.{name}" if name in RESERVED else name)


def _quoted(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name.removeprefix("input.")) else _yaml(name)


def _yaml(value: Json) -> str:
    """Return *value* as JSON: every JSON text is a YAML one with the same meaning."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f").replace("\x85", "\\x85")
