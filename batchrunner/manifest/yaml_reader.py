"""Which rows does a YAML manifest hold, and what stands at its top?

Two passes over the events: the first reads all but the jobs, so that `defaults` may stand after them; the
second builds the jobs one by one as they stream past, so that memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from .._types import Json, Place, Problem
from ..models.wording import show
from .rows import LinedDict, LinedList, Row, problem
from .yaml_compose import BadYaml, Composer, Trouble, line_of

JOBS = "jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """All of a YAML manifest but its jobs."""

    top: LinedDict
    """The top-level names and values; `jobs` only when it does not hold the jobs itself."""
    troubles: tuple[Trouble, ...]


def read_outline(stream: BinaryIO) -> Outline:
    """Return what stands around the jobs.  Raises BadYaml for a file that cannot be read to its end."""
    composer = Composer(stream)
    try:
        root = _root(composer)
        top = LinedDict() if root is None else _outlined(composer, root)
        if root is not None:
            _check_end(composer)
    except yaml.YAMLError as error:
        raise _bad_yaml(error, stream) from None
    return Outline(top=top, troubles=tuple(composer.troubles))


def read_yaml(stream: BinaryIO, file: str) -> Iterator[Row | Problem]:
    """Yield the jobs written in a YAML file as rows, in order; `read_outline` has found it readable."""
    composer = Composer(stream)
    root = _root(composer)
    if isinstance(root, SequenceStartEvent):
        yield from _rows(composer, file)
    elif isinstance(root, MappingStartEvent):
        for name, _line, event in composer.pairs():
            if name == JOBS and isinstance(event, SequenceStartEvent):
                yield from _rows(composer, file)
            else:
                composer.value(event)  # for its anchors


def _root(composer: Composer) -> Event | None:
    """Return the event that begins the document's value, None when there is no document."""
    while not isinstance(event := composer.next(), DocumentStartEvent):
        if isinstance(event, StreamEndEvent):
            return None
    return composer.next()


def _check_end(composer: Composer) -> None:
    composer.next()  # the end of the document
    event = composer.next()
    if not isinstance(event, StreamEndEvent):
        raise BadYaml(line_of(event), "a second document (---) in one manifest", "one file is one manifest")


def _outlined(composer: Composer, root: Event) -> LinedDict:
    top = LinedDict()
    if isinstance(root, SequenceStartEvent):
        _skip_items(composer)
    elif isinstance(root, MappingStartEvent):
        _outline_mapping(composer, top)
    elif composer.value(root) is not None:
        composer.trouble(
            line_of(root), "no manifest: a list of jobs, or a mapping with `jobs`, is needed at the top"
        )
    return top


def _outline_mapping(composer: Composer, top: LinedDict) -> None:
    for name, line, event in composer.pairs():
        if name in top.lines:
            composer.trouble(line, f"{show(str(name))} stands twice, here and on line {top.lines[name]}")
            composer.skip(event)
            continue
        top.lines[name] = line
        if name == JOBS and isinstance(event, SequenceStartEvent):
            _skip_items(composer)
        else:
            top[name] = composer.value(event)


def _skip_items(composer: Composer) -> None:
    for event in composer.items():
        composer.skip(event)


def _rows(composer: Composer, file: str) -> Iterator[Row | Problem]:
    for event in composer.items():
        composer.start_job()
        value = composer.value(event)
        yield from _row(value, line_of(event), file, composer.troubles)


def listed_rows(jobs: LinedList, file: str) -> Iterator[Row | Problem]:
    """Yield the rows of a list that was read already: that of an alias, or under a misspelt `jobs`."""
    for line, item in zip(jobs.lines, jobs, strict=True):
        yield from _row(item, line, file, ())


def _row(value: Json, line: int, file: str, troubles: Iterable[Trouble]) -> Iterator[Row | Problem]:
    job = value.get("id") if isinstance(value, dict) else None
    for trouble in troubles:
        name = str(job) if isinstance(job, str) else None
        yield problem(file, trouble.line, trouble.message, hint=trouble.hint, row=line, job=name)
    if isinstance(value, dict):
        yield Row(place=Place(file=file, line=line, row=line), fields=value)
    elif value is None:
        yield problem(file, line, "an empty job", hint="remove the lone -")
    else:
        yield problem(file, line, f"a job is a mapping of names to values, not {show(value)}")


def _bad_yaml(error: yaml.YAMLError, stream: BinaryIO) -> BadYaml:
    """Say what the parser found wrong, with its line."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return BadYaml(mark.line + 1 if mark else 1, f"not valid YAML: {_said(error)}", _advice(error))
    if isinstance(error, ReaderError):
        stream.seek(0)
        line = stream.read(error.position).count(b"\n") + 1
        return BadYaml(line, f"not valid YAML: {error.reason}", "save the file as UTF-8")
    return BadYaml(1, f"not valid YAML: {show(str(error))}")


def _said(error: MarkedYAMLError) -> str:
    context, began = error.context, error.context_mark
    where = f" ({context} that began on line {began.line + 1})" if context and began else ""
    return f"{error.problem or 'broken'}{where}"


def _advice(error: MarkedYAMLError) -> str | None:
    said = error.problem or ""
    if "mapping values are not allowed" in said:
        return "text with a colon and a blank in it needs quotes"
    if "cannot start any token" in said:
        return "indent with blanks, not tabs; text that begins with a sign such as @ % ` needs quotes"
    return None
