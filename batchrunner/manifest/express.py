"""Which rows are jobs at first sight?

Nearly all rows of a good manifest: for them everything is decided once a manifest (what each name stands for,
what text means there), and the model's schema only says yes.  Whatever is not plain to see, above all a wrong
value, gets no answer here: the judge looks at that row again and finds the words.  A row may become a job by
either way, and becomes the same job.
"""

from __future__ import annotations

from .._types import Job, Json
from ..models import Schemas
from ..staging import LocalImages
from .head import Head
from .ids import BadId
from .job_block import JobBlock
from .lane import Columns, Lane, Unsure
from .names import MODEL, MODEL_ID
from .rows import Block, ColumnBlock, FieldBlock, Row, Table, TableBlock, TableRow
from .typed import Untypable


def takes_blocks(head: Head) -> bool:
    """Return whether rows may be jobs at first sight: a matrix and placeholders make more of each."""
    return not head.axes and not head.consumed


class Express:
    """Takes the plain rows of one manifest."""

    def __init__(
        self, head: Head, schemas: Schemas, model: str | None, images: LocalImages | None = None
    ) -> None:
        self._images = images
        self._head = head
        self._schemas = schemas
        self._model = model
        self._is_plain = takes_blocks(head)
        self._lanes: dict[str | None, Lane | None] = {}
        self._table: Table | None = None
        self._model_at: int | None = None
        self._columns: dict[str | None, Columns] = {}

    def job(self, row: Row | TableRow) -> Job | None:
        """Return the job of *row*; None says nothing about it."""
        if not self._is_plain:
            return None
        try:
            return self._of_cells(row) if isinstance(row, TableRow) else self._of_fields(row)
        except (Unsure, Untypable, BadId):
            return None

    def jobs(self, block: Block) -> JobBlock | None:
        """Return the jobs of all rows of *block*; None: they have to be looked at one by one."""
        if not self._is_plain:
            return None
        try:
            return self._of_block(block) if isinstance(block, TableBlock) else self._of_names(block)
        except (Unsure, Untypable, BadId):
            return None

    def _of_block(self, block: TableBlock) -> JobBlock:
        """Raises Unsure where the rows have to be looked at one by one."""
        self._begin(block.table)
        models = {None if self._model_at is None else cells[self._model_at] for cells in block.rows}
        if len(models) != 1:
            raise Unsure
        return self._columns_for(models.pop(), block.table).block(block)

    def _of_cells(self, row: TableRow) -> Job | None:
        self._begin(row.table)
        model = None if self._model_at is None else row.cells[self._model_at]
        return self._columns_for(model, row.table).job(row)

    def _columns_for(self, model: str | None, table: Table) -> Columns:
        columns = self._columns.get(model)
        if columns is None:
            columns = self._columns[model] = Columns(table, self._lane(model or None))
        return columns

    def _begin(self, table: Table) -> None:
        if table is self._table:
            return
        self._table = table
        self._model_at = table.columns.index(MODEL) if MODEL in table.columns else None
        self._columns.clear()

    def _of_names(self, block: FieldBlock | ColumnBlock) -> JobBlock:
        """Raises Unsure where the rows have to be looked at one by one."""
        models = block.columns.get(MODEL, (None,))
        model = models[0]
        if models.count(model) < len(models) or not (model is None or isinstance(model, str)):
            raise Unsure
        lane = self._lane(model)
        return lane.fields(block)

    def _of_fields(self, row: Row) -> Job | None:
        model = row.fields.get(MODEL)
        if model is not None and not isinstance(model, str):
            return None
        return self._lane(model).job(row)

    def _lane(self, model: str | None) -> Lane:
        """Return the lane of rows that name *model*.  Raises Unsure where there is none."""
        if model not in self._lanes:
            self._lanes[model] = self._made(model)
        lane = self._lanes[model]
        if lane is None:
            raise Unsure
        return lane

    def _made(self, model: str | None) -> Lane | None:
        shared = self._head.defaults.get(MODEL)
        named: Json = shared.value if shared else self._model
        if model is not None:
            named = model
        name = named.strip() if isinstance(named, str) else ""
        schema = self._schemas.get(name) if MODEL_ID.fullmatch(name) else None
        try:
            return Lane(schema, self._head.defaults, self._images) if schema else None
        except (Unsure, Untypable):
            return None
