"""Which input schema counts for a model: one that was given, or the bundled one?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from .._types import Json
from ..errors import ManifestInvalid, ManifestMissing, Usage
from .schema import InputSchema


class Schemas:
    """The schemas a command knows: those given, then those bundled."""

    def __init__(self, given: Sequence[Path] = ()) -> None:
        """Read the schema files of ``--schema``, each a bare input schema or a catalogue entry.

        Raises ManifestMissing when a file cannot be read, ManifestInvalid when it is no schema, and
        Usage when two files are bare: nothing then says which one counts.
        """
        self._named: dict[str, InputSchema] = {}
        self._bare: InputSchema | None = None
        self._given: list[Json] = []
        for path in given:
            document = load_document(path)
            self._given.append(document)
            if not self._take(document, str(path)):
                raise Usage(
                    f"{path}: a second schema that does not name its model",
                    hint='write catalogue entries: {"model_id": "...", "input_schema": {...}}',
                )

    def get(self, model: str) -> InputSchema | None:
        """Return the input schema of *model*, None when there is none."""
        named = self._named.get(model)
        if named is None and self._bare is not None:
            return replace(self._bare, model=model)
        return named or (_bundled(model) if model in bundled_models() else None)

    def digest(self) -> str:
        """Return a hash over what decides what `get` gives: schemas given, in order, and bundled."""
        hasher = sha256(json.dumps(self._given).encode())
        for model in bundled_models():
            hasher.update(_bundled_file(model).read_bytes())
        return hasher.hexdigest()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the given schemas get wrong and is overlooked."""
        given = [*self._named.values(), *([self._bare] if self._bare else [])]
        return tuple(f"{schema.model}: {warning}" for schema in given for warning in schema.warnings)

    def with_manifest_schema(self, document: Json, source: str) -> Schemas:
        """Return these schemas and the one a manifest names; what ``--schema`` gave goes first.

        Raises ManifestInvalid when *document* is no schema.
        """
        manifest = Schemas()
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


def load_document(path: Path) -> Json:
    """Return the JSON of a schema file.  Raises ManifestMissing or ManifestInvalid."""
    try:
        document: Json = json.loads(path.read_bytes())
    except OSError as error:
        raise ManifestMissing(f"the schema {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ManifestInvalid(f"the schema {path} is not a JSON file") from None
    return document


@cache
def bundled_models() -> tuple[str, ...]:
    """Return the ids of the models whose schemas come with this package."""
    return tuple(sorted(_found(files(__package__), "")))


def _found(folder: Traversable, prefix: str) -> list[str]:
    names: list[str] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            names += _found(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".json"):
            names.append(prefix + entry.name.removesuffix(".json"))
    return names


@cache
def _bundled(model: str) -> InputSchema:
    return InputSchema.parse(model, json.loads(_bundled_file(model).read_text(encoding="utf-8")))


def _bundled_file(model: str) -> Traversable:
    return files(__package__).joinpath(*f"{model}.json".split("/"))
