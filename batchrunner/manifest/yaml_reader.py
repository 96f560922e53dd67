"""Which rows does a YAML manifest hold, and what stands at its top?

Jobs are built one by one as they stream past, so that memory does not grow with the file.  Where nothing can
stand behind them, as in most manifests, one pass is enough; else a first pass reads all but the jobs, so that
`defaults` may stand after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    DocumentEndEvent,
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
from .strict_json import MAX_DEPTH
from .yaml_compose import BadYaml, Composer, Trouble, line_of
from .yaml_margin import last_line_at_margin

JOBS: Final = "jobs"

TOO_DEEP_FOR_THE_SCANNER: Final = "exceeded maximum nesting depth"
"""What newer libyaml says of brackets without end, before it gives the events that we count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """All of a YAML manifest but its jobs."""

    top: LinedDict
    """The top-level names and values; `jobs` only when it does not hold the jobs itself."""
    troubles: tuple[Trouble, ...]
    jobs: Composer | None = None
    """What reads on with the first job, where all but the jobs has been read."""


def read_outline(stream: BinaryIO) -> Outline:
    """Return what stands around the jobs.  Raises BadYaml for a file that cannot be read so far."""
    last = last_line_at_margin(stream)
    stream.seek(0)
    composer = Composer(stream)
    try:
        root = _root(composer)
        top = LinedDict()
        is_open = isinstance(root, SequenceStartEvent) or (
            root is not None and _outlined(composer, root, top, last)
        )
        if root is not None and not is_open:
            _check_end(composer)
    except yaml.YAMLError as error:
        raise _bad_yaml(error, stream) from None
    return Outline(top=top, troubles=tuple(composer.troubles), jobs=composer if is_open else None)


def read_yaml(stream: BinaryIO, outline: Outline, file: str) -> Iterator[Row | Problem]:
    """Yield the jobs written in a YAML file as rows, in order.  Raises BadYaml where it cannot be read on."""
    try:
        if outline.jobs is None:
            stream.seek(0)
            yield from _second_pass(stream, file)
        else:
            yield from _rows(outline.jobs, file)
            _check_end(outline.jobs)
    except yaml.YAMLError as error:
        raise _bad_yaml(error, stream) from None


def _second_pass(stream: BinaryIO, file: str) -> Iterator[Row | Problem]:
    composer = Composer(stream)
    if isinstance(_root(composer), MappingStartEvent):
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
    while not isinstance(composer.next(), DocumentEndEvent):
        pass
    event = composer.next()
    if not isinstance(event, StreamEndEvent):
        raise BadYaml(line_of(event), "a second document (---) in one manifest", "one file is one manifest")


def _outlined(composer: Composer, root: Event, top: LinedDict, last: int | None) -> bool:
    """Read all but the jobs into *top*; return True when only the jobs are left to be read."""
    if isinstance(root, MappingStartEvent):
        mark = root.start_mark
        is_at_margin = not root.flow_style and mark is not None and mark.column == 0
        return _outline_mapping(composer, top, last if is_at_margin else None)
    if composer.value(root) is not None:
        composer.trouble(
            line_of(root), "no manifest: a list of jobs, or a mapping with `jobs`, is needed at the top"
        )
    return False


def _outline_mapping(composer: Composer, top: LinedDict, last: int | None) -> bool:
    for name, line, event in composer.pairs():
        if name in top.lines:
            composer.trouble(line, f"{show(str(name))} stands twice, here and on line {top.lines[name]}")
            composer.skip(event)
            continue
        top.lines[name] = line
        if name != JOBS or not isinstance(event, SequenceStartEvent):
            top[name] = composer.value(event)
        elif line == last:
            return True
        else:
            _skip_items(composer)
    return False


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
        if error.problem == TOO_DEEP_FOR_THE_SCANNER:
            return BadYaml(mark.line + 1 if mark else 1, f"nested more than {MAX_DEPTH} deep")
        return BadYaml(mark.line + 1 if mark else 1, f"not valid YAML: {_said(error)}", _advice(error))
    if isinstance(error, ReaderError):
        stream.seek(0)
        line = stream.read(error.position).count(b"\n") + 1
        is_text = "characters" in error.reason  # the bytes are fine, one character of the text is not
        advice = f"take the character U+{error.character:04X} out" if is_text else "save the file as UTF-8"
        return BadYaml(line, f"not valid YAML: {error.reason}", advice)
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
