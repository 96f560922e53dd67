"""What jobs does this file ask for, and what is wrong with it?

The readers know the formats, the assembler makes jobs of rows; here they meet, row by row, so that memory
does not grow with the file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from msgspec import Struct

from .._types import Job, Json, Problem
from ..errors import BatchrunnerError, ManifestMissing
from ..models import Schemas
from ..models.schemas import load_document
from ..models.wording import show
from ..staging import LocalImages
from .express import Express, takes_blocks
from .head import Head, HeadParser
from .job_block import JobBlock
from .jsonl_reader import read_json_blocks
from .parts import WHOLE, Part
from .rows import Block, LinedDict, LinedList, Row, TableRow, problem
from .source import STDIN, STDIN_SHOWN, Format, format_by_extension, format_of, opened, rewindable
from .typed import untyped

if TYPE_CHECKING:
    from .assemble import Assembler
    from .yaml_reader import Outline

Rows: TypeAlias = Iterator[Row | TableRow | Block | Problem]

Found: TypeAlias = Job | JobBlock | Problem
"""What reading a manifest gives, in its order."""


def read_jobs(
    source: str | Path,
    *,
    input_format: str | None = None,
    model: str | None = None,
    schemas: Schemas,
    images: LocalImages | None = None,
    stdin: BinaryIO | None = None,
    before_reading: Callable[[Path], None] = lambda path: None,
) -> Iterator[Job | Problem]:
    """Return the manifest's jobs in order, and every problem where it is met.

    *source* is a path or ``-``; *model* serves rows that name none.  A manifest with any problem is not to be
    run.  Equal ids are the caller's to find: nothing is remembered here.  *before_reading* is told of each
    file that is about to be opened, the manifest included.  *images* looks at local images; without it each
    of them is a problem.  Raises Usage at once when the format cannot be told, and ManifestMissing at the
    first step when the file cannot be read.
    """
    found = read_found(
        source,
        input_format=input_format,
        model=model,
        schemas=schemas,
        images=images,
        stdin=stdin,
        before_reading=before_reading,
    )
    return (job for one in found for job in (one.jobs() if isinstance(one, JobBlock) else (one,)))


def read_found(
    source: str | Path,
    *,
    input_format: str | None = None,
    model: str | None = None,
    schemas: Schemas,
    images: LocalImages | None = None,
    stdin: BinaryIO | None = None,
    before_reading: Callable[[Path], None] = lambda path: None,
    part: Part = WHOLE,
) -> Iterator[Found]:
    """Do the same with as many jobs at a time as are plain to see.

    Of JSON Lines a *part* may be read; that there are no jobs at all is found where all of it is.
    """
    name = str(source)
    form = format_of(name, input_format)
    reader = _Reader(
        source=name,
        form=form,
        model=model,
        schemas=schemas,
        images=images,
        before_reading=before_reading,
        part=part,
    )
    return reader.read(stdin or sys.stdin.buffer)


class _Reader(Struct, frozen=True, kw_only=True):
    source: str
    form: Format
    model: str | None
    schemas: Schemas
    images: LocalImages | None
    before_reading: Callable[[Path], None]
    part: Part

    @property
    def file(self) -> str:
        """The name that problems call the manifest by."""
        return STDIN_SHOWN if self.source == STDIN else self.source

    def read(self, stdin: BinaryIO) -> Iterator[Found]:
        is_empty = True
        try:
            if self.source != STDIN:
                self.before_reading(Path(self.source))
            with opened(self.source, stdin) as stream:
                for found in self._found(stream):
                    is_empty = False
                    yield found
        except OSError as error:
            raise ManifestMissing(
                f"{self.file} cannot be read: {error.strerror}", hint="nothing was sent; check the path"
            ) from None
        if is_empty and self.part == WHOLE:
            yield no_jobs(self.file)

    def _found(self, stream: BinaryIO) -> Iterator[Found]:
        if self.form is not Format.YAML:
            yield from self._jobs(_rows(stream, self.form, self.file, self.part), Head(), self.schemas)
            return
        from .yaml_compose import BadYaml  # PyYAML: a table's run starts sooner without it

        with rewindable(stream) as twice:
            try:
                yield from self._found_in_yaml(twice)
            except BadYaml as error:
                yield problem(self.file, error.line, str(error), hint=error.hint)

    def _found_in_yaml(self, stream: BinaryIO) -> Iterator[Found]:
        from .yaml_reader import read_outline

        outline = read_outline(stream)
        for trouble in outline.troubles:
            yield problem(self.file, trouble.line, trouble.message, hint=trouble.hint)
        parser = HeadParser(outline.top, self.file)
        head = parser.parse()
        yield from parser.problems
        schemas = self._with_schema(parser.top)
        if isinstance(schemas, Problem):
            yield schemas
            schemas = self.schemas
        rows = self._yaml_rows(stream, outline, parser.top, in_blocks=takes_blocks(head))
        yield from self._jobs(rows, head, schemas)

    def _jobs(self, rows: Rows, head: Head, schemas: Schemas) -> Iterator[Found]:
        express = Express(head, schemas, self.model, self.images)
        assembler: Assembler | None = None
        for row in rows:
            if isinstance(row, Problem):
                yield row
                continue
            together = express.jobs(row) if isinstance(row, Block) else None
            if together is not None:
                yield together
                continue
            each: Iterable[Row | TableRow] = row.each() if isinstance(row, Block) else (row,)
            for one in each:
                job = express.job(one)
                if job is not None:
                    yield job
                    continue
                assembler = assembler or self._assembler(head, schemas)
                yield from assembler.jobs(_named(one))

    def _assembler(self, head: Head, schemas: Schemas) -> Assembler:
        from .assemble import Assembler  # most manifests' rows are plain to see

        return Assembler(head, schemas, self.model, self.images)

    def _with_schema(self, top: LinedDict) -> Schemas | Problem:
        """Return the schemas with what `schema:` names: a file beside the manifest, or the schema itself."""
        written = top.get("schema")
        if written is None:
            return self.schemas
        try:
            document = load_document(self._beside(written)) if isinstance(written, str) else untyped(written)
            return self.schemas.with_manifest_schema(document, f"`schema:` in {self.file}")
        except BatchrunnerError as error:
            return problem(self.file, top.lines["schema"], error.message, hint=error.hint, field="schema")

    def _yaml_rows(self, stream: BinaryIO, outline: Outline, top: LinedDict, *, in_blocks: bool) -> Rows:
        from .yaml_jobs import BLOCK
        from .yaml_reader import listed_rows, read_yaml

        jobs: Json = top.get("jobs")
        match jobs:
            case None:
                yield from read_yaml(stream, outline, self.file, block_bytes=BLOCK if in_blocks else None)
            case LinedList():
                yield from listed_rows(jobs, self.file)
            case str():
                yield from self._rows_beside(jobs, top.lines["jobs"])
            case _:
                message = f"jobs is a list of jobs or the name of a file beside this one, not {show(jobs)}"
                yield problem(
                    self.file, top.lines["jobs"], message, field="jobs", hint="begin each job with `- `"
                )

    def _rows_beside(self, name: str, line: int) -> Rows:
        form = format_by_extension(name)
        if form in {None, Format.YAML}:
            message = f"{show(name)} is no CSV, TSV or JSON Lines file (.csv, .tsv, .jsonl, .ndjson)"
            yield problem(self.file, line, message, field="jobs")
            return
        path = self._beside(name)
        try:
            with path.open("rb") as stream:
                yield from _rows(stream, form, str(path))
        except OSError as error:
            yield problem(self.file, line, f"{path} cannot be read: {error.strerror}", field="jobs")

    def _beside(self, name: str) -> Path:
        """Return the path of a file that the manifest names, relative to the manifest; it is read next."""
        path = Path(name) if self.source == STDIN else Path(self.source).parent / name
        self.before_reading(path)
        return path


def _named(row: Row | TableRow) -> Row:
    return row.as_row() if isinstance(row, TableRow) else row


def no_jobs(file: str) -> Problem:
    """Return what to say of a manifest that holds nothing."""
    return problem(file, 1, "no jobs at all", hint="a manifest names at least one job")


def _rows(stream: BinaryIO, form: Format | None, file: str, part: Part = WHOLE) -> Rows:
    if form is Format.JSONL:
        return read_json_blocks(stream, file, part)
    from .csv_reader import read_blocks

    return read_blocks(stream, file, delimiter="\t" if form is Format.TSV else None)
