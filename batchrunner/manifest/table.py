"""Which input of a model does each column of somebody's table stand for, and which jobs are its rows?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from .._types import Job, Problem
from ..errors import ManifestInvalid, ManifestMissing
from ..models import InputSchema, Schemas
from ..models.synonyms import called
from ..models.wording import counted, listed, nearest
from ..staging import LocalImages
from .assemble import Assembler
from .csv_reader import read_csv
from .head import Head
from .names import GROUPS, ID, MODEL
from .rows import Row, TableRow


class Table(Struct, frozen=True, kw_only=True):
    """The jobs of a table, every row of it."""

    jobs: tuple[Job, ...]
    columns: dict[str, str]
    """What each column became: an input, ``id``, or a note ``meta.NAME``."""
    named: frozenset[str]
    """The ids that stand in the table."""
    images: dict[str, str]
    """The whole path of each local image, by the reference that inputs hold."""


def read_table(path: Path, schema: InputSchema, schemas: Schemas) -> Table:
    """Return the jobs of a CSV file whose columns have names of their own.

    Raises ManifestMissing when it cannot be read, and ManifestInvalid with every problem of every row.
    """
    try:
        with path.open("rb") as stream:
            found = list(read_csv(stream, str(path)))
    except OSError as error:
        raise ManifestMissing(
            f"{path} cannot be read: {error.strerror}", hint="nothing was written; check the path"
        ) from None
    rows = [row for row in found if isinstance(row, TableRow)]
    problems: list[Problem] = [row for row in found if isinstance(row, Problem)]
    columns = map_columns(rows[0].table.columns, schema) if rows else {}
    lacking = sorted(schema.required - set(columns.values()))
    if rows and lacking:
        raise ManifestInvalid(
            f"{path}: no column stands for {listed(list(lacking))}, which {schema.model} needs",
            hint=f"its columns are {listed(list(rows[0].table.columns))}; rename one",
        )
    images = LocalImages(may_stage=True)  # whoever runs the manifest names the place
    assembler = Assembler(Head(), schemas, schema.model, images)
    made = [one for row in rows for one in assembler.jobs(_renamed(row.as_row(), columns))]
    jobs = [one for one in made if isinstance(one, Job)]
    problems += [one for one in made if isinstance(one, Problem)]
    if problems:
        raise ManifestInvalid(f"{path}: {counted(len(problems), 'problem')}; nothing was written", problems)
    if not jobs:
        raise ManifestInvalid(
            f"{path} holds no rows; nothing was written", hint="a header and a row below it"
        )
    return Table(
        jobs=tuple(jobs),
        columns=columns,
        named=frozenset(_ids(rows)),
        images={image.reference: image.path for image in images.found()},
    )


def map_columns(names: Sequence[str], schema: InputSchema) -> dict[str, str]:
    """Return what each column stands for.

    Of two for one input the one with its very name has it, else the first; the other is a note.
    """
    exact = {name: name for name in names if name in schema.properties or _is_ours(name)}
    taken = set(exact.values())
    columns: dict[str, str] = {}
    for name in filter(None, names):
        key = exact.get(name)
        if key is None:
            meant = nearest(name, schema.properties, cutoff=0.8) or called(name, schema.properties)
            key = f"meta.{name}" if meant is None or meant in taken else meant
            taken.add(key)
        columns[name] = key
    return columns


def _is_ours(name: str) -> bool:
    return name in {ID, MODEL, *GROUPS} or name.startswith(("meta.", "input."))


def _renamed(row: Row, columns: dict[str, str]) -> Row:
    fields = {columns.get(name, name): value for name, value in row.fields.items()}
    return row._replace(fields=fields, columns=tuple(columns.get(name, name) for name in row.columns))


def _ids(rows: Sequence[TableRow]) -> Iterator[str]:
    for row in rows:
        written = row.as_row().fields.get(ID)
        if isinstance(written, str):
            yield written.strip()
