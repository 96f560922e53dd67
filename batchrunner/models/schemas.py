"""Which input schema counts for a model: one that was given, the bundled one, or the catalogue's?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from .._types import Json
from ..errors import ManifestInvalid, ManifestMissing, Usage
from .schema import AS_PUBLISHED, InputSchema

BUNDLED: Final = Path(__file__).parent


class Missing(Struct, frozen=True):
    """There is no schema, and why."""

    why: str


Published: TypeAlias = "Callable[[str], Json | Missing]"
"""Gives the schema that the catalogue has of a model."""


class Schemas:
    """The schemas a command knows: those given, then those bundled, then what the catalogue has."""

    def __init__(self, given: Sequence[Path] = (), published: Published | None = None) -> None:
        """Read the schema files of ``--schema``, each a bare input schema or a catalogue entry.

        *published* is asked, once a model, where no file and no bundled schema says anything.

        Raises ManifestMissing when a file cannot be read, ManifestInvalid when it is no schema, and
        Usage when two files are bare: nothing then says which one counts.
        """
        self.files = tuple(given)
        """What was given, to be read again elsewhere."""
        self._named: dict[str, InputSchema] = {}
        self._bare: InputSchema | None = None
        self._given: list[Json] = []
        self._published = published
        self._asked: dict[str, InputSchema | Missing] = {}
        self._documents: dict[str, Json | Missing] = {}
        self._digests: dict[str, str] = {}
        for path in given:
            document = load_document(path)
            self._given.append(document)
            if not self._take(document, str(path)):
                raise Usage(
                    f"{path}: a second schema that does not name its model",
                    hint='write catalogue entries: {"model_id": "...", "input_schema": {...}}',
                )

    def get(self, model: str) -> InputSchema | None:
        """Return the input schema of *model*, None when there is none.

        Raises AccountRefused when the catalogue had to be asked and refuses the token.
        """
        found = self.at_hand(model) or self._from_catalogue(model)
        return found if isinstance(found, InputSchema) else None

    def at_hand(self, model: str) -> InputSchema | None:
        """Return what `get` returns where nothing need be asked for it."""
        named = self._named.get(model)
        if named is None and self._bare is not None:
            return replace(self._bare, model=model)
        if named is not None or model in bundled_models():
            return named or _bundled(model)
        found = self._asked.get(model)
        return found if isinstance(found, InputSchema) else None

    def known(self) -> tuple[str, ...]:
        """Return the models that are given by name or bundled."""
        return tuple(dict.fromkeys([*self._named, *bundled_models()]))

    def why_not(self, model: str) -> str:
        """Return why there is no schema of *model*; nothing when that was never asked."""
        found = self._asked.get(model)
        return found.why if isinstance(found, Missing) else ""

    def _from_catalogue(self, model: str) -> InputSchema | Missing | None:
        if self._published is None:
            return None
        if model not in self._asked:
            document = self._published(model)
            try:
                found = document if isinstance(document, Missing) else InputSchema.parse(model, document)
            except ManifestInvalid as error:
                found = Missing(f"the catalogue's schema is of no use: {error.message}")
            self._asked[model], self._documents[model] = found, document
            self._digests[model] = "" if isinstance(document, Missing) else _digest(document)
        return self._asked[model]

    def from_catalogue(self, model: str) -> Json | Missing:
        """Return what the catalogue says of *model*, for somebody who cannot ask it.

        Raises AccountRefused.
        """
        self._from_catalogue(model)
        return self._documents.get(model, Missing(""))

    def digest(self) -> str:
        """Return a hash over what decides what `get` gives: schemas given, in order, and bundled."""
        hasher = sha256(json.dumps(self._given).encode())
        for model in bundled_models():
            hasher.update(_bundled_file(model).read_bytes())
        return hasher.hexdigest()

    def published(self, models: Iterable[str] = ()) -> dict[str, str]:
        """Return a hash of the catalogue's schema of each model that it was asked about.

        *models* are asked about now; one without a schema has an empty hash.
        """
        for model in models:
            self.get(model)
        return dict(self._digests)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the given schemas get wrong and is overlooked."""
        given = [*self._named.values(), *([self._bare] if self._bare else [])]
        return tuple(f"{schema.model}: {warning}" for schema in given for warning in schema.warnings)

    def with_manifest_schema(self, document: Json, source: str) -> Schemas:
        """Return these schemas and the one a manifest names; what ``--schema`` gave goes first.

        Raises ManifestInvalid when *document* is no schema.
        """
        manifest = Schemas(published=self._published)
        manifest._asked, manifest._digests = self._asked, self._digests  # what one asks the other knows
        manifest._documents = self._documents
        manifest._take(document, source)
        manifest._named.update(self._named)
        manifest._bare = self._bare or manifest._bare
        return manifest

    def _take(self, document: Json, source: str) -> bool:
        """Keep one given document; False when it is bare and a bare one is there already."""
        entry = document if isinstance(document, dict) and "input_schema" in document else None
        model = entry.get("model_id") if entry else None
        schema = InputSchema.parse(str(model or source), entry["input_schema"] if entry else document)
        if isinstance(model, str):
            self._named[model] = schema
            return True
        is_first, self._bare = self._bare is None, schema
        return is_first


def _digest(document: Json) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def load_document(path: Path) -> Json:
    """Return the JSON of a schema file.  Raises ManifestMissing or ManifestInvalid."""
    try:
        document: Json = json.loads(path.read_bytes())
    except OSError as error:
        raise ManifestMissing(
            f"the schema {path} cannot be read: {error.strerror}", hint="nothing was sent; check the path"
        ) from None
    except (ValueError, RecursionError):
        raise ManifestInvalid(f"the schema {path} is not a JSON file", hint=AS_PUBLISHED) from None
    return document


@cache
def bundled_models() -> tuple[str, ...]:
    """Return the ids of the models whose schemas come with this package."""
    return tuple(sorted(_found(BUNDLED, "")))


def _found(folder: Path, prefix: str) -> list[str]:
    names: list[str] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            names += _found(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".json"):
            names.append(prefix + entry.name.removesuffix(".json"))
    return names


@cache
def _bundled(model: str) -> InputSchema:
    return InputSchema.parse(model, bundled_document(model))


def bundled_document(model: str) -> Json:
    """Return the schema of a bundled model, exactly as the service publishes it."""
    document: Json = json.loads(_bundled_file(model).read_text(encoding="utf-8"))
    return document


def _bundled_file(model: str) -> Path:
    return BUNDLED.joinpath(*f"{model}.json".split("/"))
