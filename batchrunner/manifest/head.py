"""What does a manifest say for all of its rows: model, defaults, matrix?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from .._types import Json, Place, Problem
from ..models.wording import did_you_mean, nearest, show
from .matrix import MAX_JOBS_A_ROW, Axis, BadAxis, jobs_a_row, parse_axis
from .names import ID, MODEL, Field, Key, fields_of, key_of, shown
from .rows import LinedDict, Row, problem
from .template import BadTemplate, Shared, parse_shared

KNOWN: Final = ("model", "defaults", "matrix", "jobs", "schema")


class Head(Struct, frozen=True, kw_only=True):
    """What stands above the rows; empty for a file that is nothing but rows."""

    defaults: Mapping[Key, Shared] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    consumed: frozenset[Key] = frozenset()
    """Keys that placeholders use: columns of these names are known even where the model has no such input."""


class HeadParser:
    """Reads a manifest's top level; `problems` says what is wrong with it."""

    def __init__(self, top: LinedDict, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []
        self.top = self._known(top)
        """The top level under known names only."""

    def parse(self) -> Head:
        """Return the head; what could not be read is left out of it."""
        defaults = self._defaults()
        axes = tuple(self._axes())
        if jobs_a_row(axes) > MAX_JOBS_A_ROW:
            message = (
                f"the matrix makes {jobs_a_row(axes):,} jobs of each row, at most {MAX_JOBS_A_ROW:,} allowed"
            )
            self._problem(self.top.lines["matrix"], message, "matrix")
            axes = ()
        shared = [*defaults.values(), *(value for axis in axes for value in axis.values)]
        consumed = frozenset().union(*(value.fillers for value in shared))
        return Head(defaults=defaults, axes=axes, consumed=consumed)

    def _known(self, top: LinedDict) -> LinedDict:
        """Return *top* with misspelt names put right: one typo is one problem, not one for each row."""
        known = LinedDict()
        for name, line in top.lines.items():
            meant = name if name in KNOWN else nearest(name, KNOWN, cutoff=0.75)
            if name not in KNOWN:
                listed = ", ".join(KNOWN)
                hint = did_you_mean(name, KNOWN) or "what belongs to each job goes below defaults"
                self._problem(line, f"not a name at the top of a manifest (these are: {listed})", name, hint)
            if meant and meant not in known.lines:
                known.lines[meant] = line
                if top.get(name) is not None:
                    known[meant] = top[name]
        return known

    def _defaults(self) -> dict[Key, Shared]:
        written = self._mapping("defaults")
        found: dict[Key, Shared] = {}
        if "model" in self.top:
            self._add(found, MODEL, Field(value=self.top["model"], path=("model",)), self.top)
        fields, bad = fields_of(written)
        for error in bad:
            self._problem(_line(written, error.path), str(error), ".".join(error.path))
        for key, given in fields.items():
            self._add(found, key, given, written)
        return found

    def _add(self, found: dict[Key, Shared], key: Key, given: Field, written: LinedDict) -> None:
        line = _line(written, given.path)
        if key == ID:
            self._problem(line, "an id belongs to one job and has no default", "id")
        elif key in found:
            self._problem(line, f"given twice, here and on line {found[key].place.line}", shown(key))
        else:
            found[key] = self._shared(given.value, key, self._place(line))

    def _axes(self) -> Iterator[Axis]:
        written = self._mapping("matrix")
        seen: dict[Key, str] = {}
        for name, value in written.items():
            key, line = key_of(name), written.lines[name]
            if key in seen:
                self._problem(line, f"given twice: as `{seen[key]}` and as `{name}`", name)
            elif name in {"id", "meta", "input"}:
                hint = (
                    "write meta.NAME or input.NAME"
                    if name != "id"
                    else "ids get the matrix values by themselves"
                )
                self._problem(line, "not a key that a matrix can vary", name, hint)
            else:
                seen[key] = name
                yield from self._axis(key, value, line)

    def _axis(self, key: Key, value: Json, line: int) -> Iterator[Axis]:
        try:
            yield parse_axis(key, value, self._place(line))
        except BadAxis as error:
            self._problem(line, str(error), f"matrix.{shown(key)}", "write a list such as [1, 2, 3]")
        except BadTemplate as error:
            self._problem(line, str(error), f"matrix.{shown(key)}", error.hint)

    def _shared(self, value: Json, key: Key, place: Place) -> Shared:
        """Return the default; a broken template counts as plain text, so that it is named only once."""
        try:
            return parse_shared(value, place)
        except BadTemplate as error:
            self._problem(place.line, str(error), shown(key), error.hint)
            return Shared(value=value, place=place)

    def _place(self, line: int) -> Place:
        return Place(file=self._file, line=line, row=line)

    def _mapping(self, name: str) -> LinedDict:
        value = self.top.get(name)
        if value is None or isinstance(value, LinedDict):
            return value if value is not None else LinedDict()
        self._problem(self.top.lines[name], f"{show(value)} is not a mapping of names to values", name)
        return LinedDict()

    def _problem(self, line: int, message: str, name: str, hint: str | None = None) -> None:
        self.problems.append(problem(self._file, line, message, field=name, hint=hint))


def _line(written: LinedDict, path: tuple[str, ...]) -> int:
    start = Place(file="", line=1, row=1)
    return Row(place=start, fields=written).at(path).line
