"""Are these inputs what one model takes?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from .._types import Inputs, Json
from ..errors import ManifestInvalid
from .acceptance import Accepts, AcceptsColumns, acceptance, acceptance_by_column
from .findings import Finding
from .lenient import Cleaner, Schema, kinds
from .synonyms import called
from .wording import listed, nearest

if TYPE_CHECKING:
    from .explainer import Explainer

AS_PUBLISHED: Final = "give the model's input_schema as the service's catalogue publishes it"


def _explainer(schema: Schema) -> Explainer:
    """Return what says what is wrong; made for the first row that is."""
    from .explainer import Explainer  # a fifth of a run's start, and rarely needed

    return Explainer(schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSchema:
    """One model's input schema, cleaned and compiled."""

    model: str
    properties: Mapping[str, Schema]
    required: frozenset[str]
    takes_others: bool
    """Whether inputs without a property are taken: only where the schema says so, or says nothing at all."""
    defaults: Inputs
    """What the service fills in for an input that is absent, as far as the schema says so."""
    warnings: tuple[str, ...]
    """What in the published schema had to be ignored."""
    accepts: Accepts = field(repr=False, compare=False)
    """Returns True only for inputs without `problems`, and quickly; False says nothing."""
    accepts_columns: AcceptsColumns | None = field(repr=False, compare=False)
    """Does the same for many inputs at once, by name; None where a value is right only beside another."""
    _explainer: Callable[[], Explainer] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, model: str, document: Json) -> InputSchema:
        """Return the schema of *model*, lenient where published schemas are wrong.

        Raises ManifestInvalid when *document* is no schema of an object at all.
        """
        if not isinstance(document, dict):
            raise ManifestInvalid(f"the input schema of {model} is not a JSON object", hint=AS_PUBLISHED)
        cleaner = Cleaner(document)
        schema = cleaner.clean(document)
        if kinds(schema) not in (frozenset(), {"object"}):
            raise ManifestInvalid(
                f"the input schema of {model} describes no named inputs (its type is not object)",
                hint=AS_PUBLISHED,
            )
        properties = schema.get("properties")
        named = (
            {k: v for k, v in properties.items() if isinstance(v, dict)}
            if isinstance(properties, dict)
            else {}
        )
        required = schema.get("required")
        others = schema.pop("additionalProperties", None)  # unknown names are `unknown`'s, with better words
        return cls(
            model=model,
            properties=named,
            required=frozenset(map(str, required)) if isinstance(required, list) else frozenset(),
            takes_others=not named or others is True or isinstance(others, dict),
            defaults=defaults_in(document),
            warnings=tuple(dict.fromkeys(cleaner.warnings)),
            accepts=acceptance(schema),
            accepts_columns=acceptance_by_column(schema),
            _explainer=cache(partial(_explainer, schema)),
        )

    def problems(self, inputs: Inputs) -> Iterator[Finding]:
        """Yield what is wrong with typed *inputs*, one finding a field."""
        yield from self._explainer().findings(inputs)
        if not self.takes_others:
            yield from (self.unknown(name) for name in inputs if name not in self.properties)

    def unknown(self, name: str) -> Finding:
        """Return what to say about the input *name*, which this model does not have."""
        found = self.meant(name)
        hint = f"did you mean `{found}`?" if found else None
        if found and called(name, self.properties) == found and not nearest(name, [found], cutoff=0.8):
            hint = f"this model calls it `{found}`"
        message = f"{self.model} has no input of this name (it has {listed(list(self.properties))})"
        return Finding(path=(name,), message=message, hint=hint)

    def meant(self, name: str) -> str | None:
        """Return the input that an unknown *name* most likely stands for."""
        known = self.properties
        return nearest(name, known, cutoff=0.8) or called(name, known) or nearest(name, known)


def defaults_in(document: Json) -> Inputs:
    """Return the defaults that a published schema gives; ``default: null`` (met there) is none."""
    properties = document.get("properties") if isinstance(document, dict) else None
    found = properties.items() if isinstance(properties, dict) else ()
    defaults = ((name, part.get("default")) for name, part in found if isinstance(part, dict))
    return {name: default for name, default in defaults if default is not None}
