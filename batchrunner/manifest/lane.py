"""What is decided once for all plain rows of one model?

Which input each name stands for, what a value means there, and what the defaults add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NoReturn, TypeAlias, cast

from .._types import Inputs, Job, JobId, Json, Place
from ..models import InputSchema
from ..models.findings import Path
from ..models.images import image_addresses
from ..staging import LocalImages, is_path
from ..staging.hosting import as_hosted
from ..staging.local_images import BadImage
from .fingerprint import made_id
from .ids import parse_id, parse_ids
from .job_block import JobBlock
from .names import GROUPS, ID, MODEL, Key, input_name, key_of, meta_name
from .rows import ColumnBlock, FieldBlock, LinedDict, Plain, Row, Table, TableBlock, TableRow
from .source import folder_of
from .template import Shared
from .typed import typed, untyped
from .typers import CellTyper, ValueTyper, cell_typer, is_settled, text_typer, value_typer


class Unsure(Exception):
    """Something that is not plain to see: the judge looks at it."""


class Lane:
    """Takes rows written as names and values."""

    def __init__(
        self, schema: InputSchema, defaults: Mapping[Key, Shared], images: LocalImages | None = None
    ) -> None:
        """*images* looks at local images; without it the judge does.

        Raises Unsure for a model with an input that rows cannot simply name, Untypable for a default."""
        if any(input_name(key_of(name)) != name or name in GROUPS for name in schema.properties):
            raise Unsure
        self.schema = schema
        self._typers = {name: value_typer(inner) for name, inner in schema.properties.items()}
        self._text_typers = {name: text_typer(inner) for name, inner in schema.properties.items()}
        self._unsettled = [
            (name, self._typers[name]) for name, inner in schema.properties.items() if not is_settled(inner)
        ]
        self._inputs: Inputs = {}
        self._meta: Inputs = {}
        for key, shared in defaults.items():
            if (name := input_name(key)) is not None:
                self._inputs[name] = typed(shared.value, schema.properties.get(name, {}))
            elif (note := meta_name(key)) is not None:
                self._meta[note] = untyped(shared.value)
        has_own = any(is_path(address) for _, address in image_addresses(schema, self._inputs))
        self._images = None if has_own else images  # those of defaults lie beside another file than the row's

    def job(self, row: Row) -> Job | None:
        """Return the job of *row*.  None, Unsure, Untypable or BadId: that is not plain to see."""
        inputs = dict(row.fields)
        inputs.pop(MODEL, None)
        written_id = inputs.pop(ID, None)
        meta = _notes(inputs.pop("meta", None))
        if None in inputs.values():
            inputs = {name: value for name, value in inputs.items() if value is not None}
        if isinstance(row.fields, LinedDict):
            inputs = {name: self._typer(name)(value) for name, value in inputs.items()}
        else:  # JSON says itself what most values are; an unknown name is left for the schema to refuse
            for name, typer in self._unsettled:
                if name in inputs:
                    inputs[name] = typer(inputs[name])
        return self.made(row.place, written_id, inputs, meta)

    def _typer(self, name: str) -> ValueTyper:
        typer = self._typers.get(name)
        if typer is None:
            raise Unsure
        return typer

    def made(self, place: Place, written_id: Json, inputs: Inputs, meta: Inputs) -> Job | None:
        """Return the job of typed *inputs*, defaults added, None where they are not certainly right."""
        if self._inputs:
            inputs = inputs | {name: value for name, value in self._inputs.items() if name not in inputs}
        if self._meta:
            meta = meta | {name: value for name, value in self._meta.items() if name not in meta}
        if not self.schema.accepts(inputs):
            inputs = self._with_local_images(place.file, inputs)
        model = self.schema.model
        return Job(JobId(parse_id(written_id) or made_id(model, inputs)), place, model, inputs, meta)

    def _with_local_images(self, file: str, inputs: Inputs) -> Inputs:
        """Return *inputs* with references to local images.  Raises Unsure where that does not help."""
        images = self._images
        if images is None:
            raise Unsure
        folder = folder_of(file)

        def refer(_: Path, written: str) -> str:
            try:
                return images.look(written, folder).reference
            except BadImage:
                raise Unsure from None

        hosted, staged = as_hosted(self.schema, inputs, refer)
        if staged is inputs or not self.schema.accepts(hosted):
            raise Unsure
        return staged

    def default(self, name: str) -> Json:
        """Return what a job has whose row says nothing of the input *name*; None for nothing."""
        return self._inputs.get(name)

    def fields(self, block: FieldBlock | ColumnBlock) -> JobBlock:
        """Return the jobs of all rows.  Raises Unsure or BadId: they are looked at one by one."""
        columns = _with_values(block.columns)
        columns.pop(MODEL, None)
        ids = _ids(columns.pop(ID)) if ID in columns else None
        notes = _by_name(list(map(_notes, columns.pop("meta")))) if "meta" in columns else {}
        if isinstance(block, ColumnBlock):  # text without quotes may have a meaning
            columns = {name: self._meant(name, values) for name, values in columns.items()}
        inputs, meta = _filled_up(columns, self._inputs), _filled_up(notes, self._meta)
        return self.block(block.file, block.lines, ids, inputs, meta)

    def _meant(self, name: str, values: Sequence[Json]) -> Sequence[Json]:
        """Return what *values* of YAML mean to the input *name*; None stays None."""
        kinds = {type(value) for value in values if value is not None}
        if kinds == {str}:
            return values
        if kinds == {Plain} and name in self._text_typers:
            typer = self._text_typers[name]
            texts = [str(value) for value in values if value is not None]
            meanings = texts if typer is None else typer.many(texts)
            if len(meanings) == len(values):
                return meanings
            each = iter(meanings)
            return [None if value is None else next(each) for value in values]
        lists = [value for value in values if isinstance(value, list)]
        if kinds == {list} and {*map(type, chain.from_iterable(lists))} <= {str}:
            return values
        typer_of_one = self._typer(name)
        return [None if value is None else typer_of_one(value) for value in values]

    def block(
        self, file: str, lines: Sequence[int], ids: Sequence[str] | None, inputs: _ByName, notes: _ByName
    ) -> JobBlock:
        """Return the jobs of typed columns, defaults added.  Raises Unsure where one is not surely right."""
        shared = {name: value for name, value in self._inputs.items() if name not in inputs}
        made = JobBlock(
            file=file,
            lines=lines,
            model=self.schema.model,
            given_ids=ids,
            inputs_by_name=inputs,
            shared=shared,
            notes_by_name=notes,
            shared_notes={name: value for name, value in self._meta.items() if name not in notes},
        )
        accepts = self.schema.accepts_columns
        if accepts is None:
            is_right = all(map(self.schema.accepts, made.inputs()))
        else:
            is_right = accepts({**inputs, **{name: [value] for name, value in shared.items()}})
        if not is_right:
            raise Unsure
        return made


_ByName: TypeAlias = Mapping[str, Sequence[Json]]


def _notes(written: Json) -> Inputs:
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise Unsure
    return {name: untyped(value) for name, value in written.items() if value is not None}


def _by_name(rows: Sequence[Mapping[str, Json]]) -> dict[str, Sequence[Json]]:
    """Return the values of each name that any of *rows* has one for; None for a row that has none."""
    names = dict.fromkeys(chain.from_iterable(rows))
    return _with_values({name: [row.get(name) for row in rows] for name in names})


def _with_values(columns: _ByName) -> dict[str, Sequence[Json]]:
    """Return *columns* without those that are empty in every row."""
    return {name: values for name, values in columns.items() if values.count(None) < len(values)}


def _filled_up(columns: _ByName, defaults: Inputs) -> _ByName:
    """Return *columns* with the default of each name for the rows that have no value."""
    return {
        name: [defaults[name] if value is None else value for value in values] if name in defaults else values
        for name, values in columns.items()
    }


def _ids(values: Sequence[Json]) -> list[str]:
    """Return the ids that *values* are.  Raises Unsure for some that are not there, BadId for a bad one."""
    kinds = {*map(type, values)}
    if kinds == {int}:
        return list(map(str, values))
    if kinds == {Plain}:
        return parse_ids(list(map(str, values)))
    if kinds != {str}:
        raise Unsure
    return parse_ids(cast("Sequence[str]", values))


class Columns:
    """Takes rows of cells: what each column of a table gives to jobs of one lane."""

    def __init__(self, table: Table, lane: Lane) -> None:
        """Raises Unsure where two columns stand for the same."""
        self._lane = lane
        self._id_at: int | None = None
        self._inputs: list[tuple[int, str, CellTyper | None]] = []
        self._notes: list[tuple[int, str]] = []
        keys = [key_of(name) for name in table.columns]
        if len(set(keys)) < len(keys):
            raise Unsure
        for number, (name, key) in enumerate(zip(table.columns, keys, strict=True)):
            self._add(number, name, key)

    def _add(self, number: int, name: str, key: Key) -> None:
        if key == ID:
            self._id_at = number
        elif (note := meta_name(key)) is not None:
            self._notes.append((number, note))
        elif name and key != MODEL:
            self._inputs.append((number, *self._input(name, key)))

    def _input(self, name: str, key: Key) -> tuple[str, CellTyper | None]:
        schema = self._lane.schema.properties.get(input_name(key) or "")
        if schema is None:
            return name, _UNKNOWN
        return str(input_name(key)), cell_typer(schema)

    def job(self, row: TableRow) -> Job | None:
        """Return the job of *row*.  None, Unsure, Untypable or BadId: that is not plain to see."""
        cells = row.cells
        inputs: Inputs = {}
        for number, name, typer in self._inputs:
            cell = cells[number]
            if cell:
                inputs[name] = cell if typer is None else typer.one(cell)
        written_id = None if self._id_at is None else cells[self._id_at] or None
        meta: Inputs = (
            {name: cells[number] for number, name in self._notes if cells[number]} if self._notes else {}
        )
        return self._lane.made(row.place, written_id, inputs, meta)

    def block(self, rows: TableBlock) -> JobBlock:
        """Return the jobs of all rows.

        A column at a time: what most of them hold means something at first sight.  Raises Unsure, Untypable
        or BadId where that is not so: the rows are looked at one by one.
        """
        columns = list(zip(*rows.rows, strict=True))
        inputs = {
            name: _values(columns[number], typer, self._lane.default(name))
            for number, name, typer in self._inputs
            if any(columns[number])
        }
        notes = {note: columns[number] for number, note in self._notes if _is_filled(columns[number])}
        ids = None
        if self._id_at is not None and _is_filled(columns[self._id_at]):
            ids = parse_ids(columns[self._id_at])
        lines = range(rows.line, rows.line + len(rows.rows))
        return self._lane.block(rows.file, lines, ids, inputs, notes)


def _is_filled(cells: Sequence[str]) -> bool:
    """Return whether all of *cells* are filled; False when none is.  Raises Unsure for some."""
    if "" not in cells:
        return True
    if any(cells):
        raise Unsure
    return False


def _values(cells: Sequence[str], typer: CellTyper | None, absent: Json) -> Sequence[Json]:
    """Return what each of *cells* means; *absent* for an empty one."""
    is_full = "" not in cells
    filled = cells if is_full else [cell for cell in cells if cell]
    values: Sequence[Json] = filled if typer is None else typer.many(filled)
    if typer is not None and None in values:
        raise Unsure
    if is_full:
        return values
    each = iter(values)
    return [next(each) if cell else absent for cell in cells]


def _unsure(_: object) -> NoReturn:
    raise Unsure


_UNKNOWN: Final = CellTyper(_unsure, _unsure)
