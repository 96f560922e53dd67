"""Is one draft a job, and if not, why?

Finds everything that is wrong with a draft, not only the first thing.  A misspelt input is reported and then
counted as the one that was meant: one typo is one problem, not also a missing input.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import chain
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from .._types import Inputs, Job, JobId, Json, Place, Problem
from ..models import Finding, InputSchema, Schemas, bundled_models
from ..models.findings import Path
from ..models.wording import misspelt, show
from ..staging import LocalImages
from ..staging.hosting import as_hosted
from ..staging.local_images import BadImage
from .draft import Draft
from .fingerprint import made_id
from .ids import BadId, check_id, parse_id
from .names import ID, MODEL, MODEL_ID, Key, input_name, key_of, meta_name, shown
from .source import folder_of
from .template import BadTemplate
from .typed import Untypable, typed, untyped


class Memory:
    """What was said already, for what need not be said for every row."""

    MOST: Final = 10_000  # a manifest that is wrong in more ways may hear some of them twice

    def __init__(self) -> None:
        self._said: set[Hashable] = set()

    def is_new(self, what: Hashable) -> bool:
        """Return whether *what* was never asked about before."""
        if what in self._said:
            return False
        if len(self._said) < self.MOST:
            self._said.add(what)
        return True


class Rules(Struct, frozen=True, kw_only=True):
    """What every draft of one manifest is judged by."""

    schemas: Schemas
    model: str | None
    """The model of rows that name none."""
    consumed: frozenset[Key]
    """Keys that only fill placeholders."""
    images: LocalImages
    memory: Memory = field(default_factory=Memory)


class Judge:
    """Judges one draft; `problems` is what there is to say, `is_valid` whether it may run."""

    def __init__(self, draft: Draft, suffix: str, rules: Rules) -> None:
        self._draft = draft
        self._rules = rules
        self.problems: list[Problem] = []
        self.is_valid = True
        self._job_id = self._parsed_id(suffix)
        self._values: dict[Key, Json] = {}
        self._unfilled: set[Key] = set()
        self._fill()

    def job(self) -> Job | None:
        """Return the job, None when something is wrong."""
        schema = self._schema()
        if schema is None:
            return None
        inputs = self._inputs(schema)
        if not self.is_valid:
            return None
        return Job(
            id=JobId(self._job_id or made_id(schema.model, inputs)),
            place=self._draft.row.place,
            model=schema.model,
            inputs=inputs,
            meta={
                name: untyped(v) for key, v in self._values.items() if (name := meta_name(key)) is not None
            },
        )

    def _parsed_id(self, suffix: str) -> str | None:
        self._id: str | None = None  # the row's own, as problems name it
        own = self._draft.own.get(ID)
        try:
            self._id = parse_id(own.value) if own else None
            return check_id(self._id + suffix) if self._id else None
        except BadId as error:
            hint = "give the values of the matrix short labels" if self._id else None
            self._say(self._draft.place(ID), ID, str(error), hint)
            return None

    def _fill(self) -> None:
        for key in self._draft.all_keys():
            try:
                self._values[key] = self._draft.value(key)
            except BadTemplate as error:
                self._unfilled.add(key)
                self._say_template(key, error)

    def _say_template(self, key: Key, error: BadTemplate) -> None:
        """Report a placeholder: at the row that lacks the value, or once where no row can have it."""
        row = self._draft.row
        is_typo = error.unfilled is not None and row.columns and not self._draft.knows(key_of(error.unfilled))
        place = self._draft.shared[key].place if is_typo else row.place
        self._say(place, shown(key), str(error), error.hint, once=bool(is_typo))

    def _schema(self) -> InputSchema | None:
        """Return the schema of the draft's model, None when it has no model or that has no schema."""
        named = self._values.get(MODEL, self._rules.model)
        place = self._draft.place(MODEL)
        if named is None:
            if MODEL not in self._draft.all_keys():
                hint = "write `model:` into the manifest, or give --model"
                self._say(
                    place, MODEL, "no model: neither the row nor the manifest names one", hint, once=True
                )
            return None
        model = str(named).strip() if isinstance(named, str) else ""
        if not MODEL_ID.fullmatch(model):
            self._say(place, MODEL, f"{show(named)} is no model id such as {bundled_models()[0]}")
            return None
        schema = self._rules.schemas.get(model)
        if schema is None:
            why = self._rules.schemas.why_not(model)
            near = misspelt(model, self._rules.schemas.known())
            hint = f"give one with --schema FILE; bundled: {', '.join(bundled_models())}"
            if near:
                hint = f"did you mean `{near}`? else give its schema with --schema FILE"
            message = f"no input schema for the model {show(model)}"
            self._say(place, MODEL, f"{message}: {why}" if why else message, hint, once=True)
        return schema

    def _inputs(self, schema: InputSchema) -> Inputs:
        """Return the typed inputs, after saying everything that is wrong with them."""
        inputs: Inputs = {}
        came_from = {input_name(key): key for key in self._unfilled}
        broken = set(came_from)
        for key, value in self._values.items():
            name = self._known_name(key, schema)
            if name is None or name in came_from:
                continue
            came_from[name] = key
            try:
                inputs[name] = typed(value, schema.properties.get(name, {}))
            except Untypable as error:
                broken.add(name)
                self._say_finding(Finding(path=(name,), message=str(error)), key)
        bad: list[Finding] = []
        hosted, inputs = self._staged(schema, inputs, came_from, bad)
        for finding in chain(schema.problems(hosted), bad):
            name = str(finding.path[0]) if finding.path else ""
            if name not in broken:
                self._say_finding(finding, came_from.get(name, Key(f"input.{name}")))
        return inputs

    def _staged(
        self, schema: InputSchema, inputs: Inputs, came_from: Mapping[str | None, Key], bad: list[Finding]
    ) -> tuple[Inputs, Inputs]:
        """Return *inputs* as if their local images were hosted already, and with references to them.

        What is wrong with a file goes into *bad*.
        """

        def refer(path: Path, written: str) -> str | None:
            folder = folder_of(self._draft.file_of(came_from[str(path[0])]))
            try:
                return self._rules.images.look(written, folder).reference
            except BadImage as error:
                bad.append(Finding(path=path, message=str(error), hint=error.hint))
                return None

        return as_hosted(schema, inputs, refer)

    def _known_name(self, key: Key, schema: InputSchema) -> str | None:
        """Return the model's input that *key* gives a value for, None for what is not sent."""
        name = input_name(key)
        if name is None or name in schema.properties:
            return name
        if key in self._rules.consumed:
            return None
        if schema.takes_others:
            return name
        self._say_unknown(key, schema.unknown(name))
        meant = schema.meant(name)
        return None if meant is None or Key(f"input.{meant}") in self._values else meant

    def _say_finding(self, finding: Finding, key: Key) -> None:
        inside = finding.path[1:]
        written = replace(finding, path=(shown(key), *inside))
        is_shared = self._draft.is_shared(key)
        self._say(
            self._draft.place(key, inside), written.field, finding.message, finding.hint, once=is_shared
        )

    def _say_unknown(self, key: Key, finding: Finding) -> None:
        """Report an unknown input; one that is a column once, where the columns are named."""
        header = self._draft.row.header if key in self._draft.own else None
        once = header is not None or self._draft.is_shared(key)
        self._say(header or self._draft.place(key), shown(key), finding.message, finding.hint, once=once)

    def _say(
        self, place: Place, name: str, message: str, hint: str | None = None, *, once: bool = False
    ) -> None:
        """Note a problem; *once* for one that many rows share: it is nobody's own."""
        self.is_valid = False
        if once and not self._rules.memory.is_new((place.file, name, message)):
            return
        job = None if once else self._id
        self.problems.append(
            Problem(place=place, message=message, id=job, field=name, hint=hint, is_shared=once)
        )
