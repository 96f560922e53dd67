"""Which rows does a YAML manifest hold, and what stands at its top?

Jobs are built one by one as they stream past, so that memory does not grow with the file.  Where nothing can
stand behind them, as in most manifests, one pass is enough; else a first pass reads all but the jobs, so that
`defaults` may stand after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

import yaml
from msgspec import Struct
from yaml.error import MarkedYAMLError
from yaml.events import Event, MappingStartEvent, SequenceStartEvent
from yaml.reader import ReaderError

from .._types import Problem
from ..models.wording import show
from .rows import ColumnBlock, LinedDict, LinedList, Row
from .strict_json import MAX_DEPTH
from .yaml_compose import BadYaml, Composer, Excerpt, Trouble
from .yaml_jobs import JOBS, Jobs, begin, careful_rows, check_end, row_of
from .yaml_margin import look_at

TOO_DEEP_FOR_THE_SCANNER: Final = "exceeded maximum nesting depth"
"""What newer libyaml says of brackets without end, before it gives the events that we count."""


class Outline(Struct, frozen=True, kw_only=True):
    """All of a YAML manifest but its jobs."""

    top: LinedDict
    """The top-level names and values; `jobs` only when it does not hold the jobs itself."""
    troubles: tuple[Trouble, ...]
    jobs: Composer | None = None
    """What reads on with the first job, where all but the jobs has been read."""
    is_usual: bool = False
    """Whether all lines and characters of the file are the usual ones."""


def read_outline(stream: BinaryIO) -> Outline:
    """Return what stands around the jobs.  Raises BadYaml for a file that cannot be read so far."""
    look = look_at(stream)
    composer = Composer(Excerpt(stream))
    try:
        root = begin(composer)
        top = LinedDict()
        is_open = isinstance(root, SequenceStartEvent) or (
            root is not None and _outlined(composer, root, top, look.last_at_margin)
        )
        if root is not None and not is_open:
            check_end(composer)
    except yaml.YAMLError as error:
        raise _bad_yaml(error, composer, stream) from None
    jobs = composer if is_open else None
    return Outline(top=top, troubles=tuple(composer.troubles), jobs=jobs, is_usual=look.is_usual)


def read_yaml(
    stream: BinaryIO, outline: Outline, file: str, *, block_bytes: int | None = None
) -> Iterator[Row | Problem | ColumnBlock]:
    """Yield the jobs written in a YAML file as rows, in order.

    With *block_bytes* plain ones are taken together, those of so many bytes at a time.  Raises BadYaml where
    the file cannot be read on.
    """
    jobs = Jobs(stream, outline.jobs or Composer(Excerpt(stream)), file)
    try:
        if outline.jobs is None:
            yield from _second_pass(jobs.composer, file)
        elif block_bytes and outline.is_usual:
            yield from jobs.rows(block_bytes)
        else:
            yield from careful_rows(jobs.composer, file)
            check_end(jobs.composer)
    except yaml.YAMLError as error:
        raise _bad_yaml(error, jobs.composer, stream) from None


def _second_pass(composer: Composer, file: str) -> Iterator[Row | Problem]:
    if isinstance(begin(composer), MappingStartEvent):
        for name, _line, event in composer.pairs():
            if name == JOBS and isinstance(event, SequenceStartEvent):
                yield from careful_rows(composer, file)
            else:
                composer.value(event)  # for its anchors


def _outlined(composer: Composer, root: Event, top: LinedDict, last: int | None) -> bool:
    """Read all but the jobs into *top*; return True when only the jobs are left to be read."""
    if isinstance(root, MappingStartEvent):
        mark = root.start_mark
        is_at_margin = not root.flow_style and mark is not None and mark.column == 0
        return _outline_mapping(composer, top, last if is_at_margin else None)
    if composer.value(root) is not None:
        composer.trouble(
            composer.line_of(root),
            "no manifest: a list of jobs, or a mapping with `jobs`, is needed at the top",
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


def listed_rows(jobs: LinedList, file: str) -> Iterator[Row | Problem]:
    """Yield the rows of a list that was read already: that of an alias, or under a misspelt `jobs`."""
    for line, item in zip(jobs.lines, jobs, strict=True):
        yield from row_of(item, line, file, ())


def _bad_yaml(error: yaml.YAMLError, composer: Composer, stream: BinaryIO) -> BadYaml:
    """Say what the parser found wrong, with its line."""
    if isinstance(error, MarkedYAMLError):
        line = composer.line_at(error.problem_mark or error.context_mark)
        if error.problem == TOO_DEEP_FOR_THE_SCANNER:
            return BadYaml(line, f"nested more than {MAX_DEPTH} deep")
        return BadYaml(line, f"not valid YAML: {_said(error, composer)}", _advice(error))
    if isinstance(error, ReaderError):
        stream.seek(0)
        line = stream.read(error.position).count(b"\n") + 1
        is_text = "characters" in error.reason  # the bytes are fine, one character of the text is not
        advice = f"take the character U+{error.character:04X} out" if is_text else "save the file as UTF-8"
        return BadYaml(line, f"not valid YAML: {error.reason}", advice)
    return BadYaml(1, f"not valid YAML: {show(str(error))}")


def _said(error: MarkedYAMLError, composer: Composer) -> str:
    context, began = error.context, error.context_mark
    where = f" ({context} that began on line {composer.line_at(began)})" if context and began else ""
    return f"{error.problem or 'broken'}{where}"


def _advice(error: MarkedYAMLError) -> str | None:
    said = error.problem or ""
    if "mapping values are not allowed" in said:
        return "text with a colon and a blank in it needs quotes"
    if "cannot start any token" in said:
        return "indent with blanks, not tabs; text that begins with a sign such as @ % ` needs quotes"
    return None
