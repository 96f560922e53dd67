"""Which schema counts for a model."""

from __future__ import annotations

import json

import pytest

from batchrunner import models
from batchrunner.errors import ManifestInvalid, ManifestMissing, Usage
from batchrunner.models import Schemas, bundled_models

SEEDANCE = "bytedance/seedance-1-0/lite/reference-to-video"
BARE = {"properties": {"bare": {}}}


def entry(model: str, name: str = "named") -> dict:
    return {"model_id": model, "input_schema": {"properties": {name: {}}}}


@pytest.fixture
def file(tmp_path):
    def _file(document) -> object:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(document))
        return path

    return _file


def inputs(schemas: Schemas, model: str) -> list[str] | None:
    schema = schemas.get(model)
    return None if schema is None else list(schema.properties)


def test_the_public_names_are_there():
    assert sorted(models.__all__) == ["Finding", "InputSchema", "Schemas", "bundled_models"]
    assert all(hasattr(models, name) for name in models.__all__)


def test_seedance_lite_is_bundled_without_warnings():
    schema = Schemas().get(SEEDANCE)

    assert bundled_models() == (SEEDANCE,)
    assert list(schema.properties) == ["text", "images", "resolution", "ratio", "duration", "seed"]
    assert schema.warnings == ()


@pytest.mark.parametrize("model", ["acme/a", "", "..", "../models/bytedance", "/etc/passwd"])
def test_a_model_nobody_described_has_no_schema(model):
    assert Schemas().get(model) is None


def test_a_bare_schema_serves_every_model_and_comes_before_the_bundled_one(file):
    schemas = Schemas([file(BARE)])

    assert inputs(schemas, SEEDANCE) == inputs(schemas, "acme/a") == ["bare"]
    assert schemas.get("acme/a").model == "acme/a"


def test_a_catalogue_entry_serves_its_own_model_only(file):
    schemas = Schemas([file(entry("acme/a"))])

    assert inputs(schemas, "acme/a") == ["named"]
    assert inputs(schemas, "acme/b") is None


def test_a_named_schema_comes_before_a_bare_one(file):
    schemas = Schemas([file(BARE), file(entry("acme/a"))])

    assert inputs(schemas, "acme/a") == ["named"]
    assert inputs(schemas, "acme/b") == ["bare"]


def test_two_bare_schemas_are_refused(file):
    with pytest.raises(Usage, match="a second schema that does not name its model"):
        Schemas([file(BARE), file(BARE)])


def test_what_the_command_gives_comes_before_what_the_manifest_gives(file):
    given = Schemas([file(entry("acme/a", "given"))])

    both = given.with_manifest_schema(entry("acme/a", "manifest"), "m.yaml")

    assert inputs(both, "acme/a") == ["given"]
    assert inputs(Schemas().with_manifest_schema(BARE, "m.yaml"), "acme/a") == ["bare"]
    assert inputs(Schemas([file(BARE)]).with_manifest_schema({}, "m.yaml"), "acme/a") == ["bare"]
    assert inputs(given, "acme/b") is None


def test_a_schema_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(ManifestMissing, match="cannot be read: No such file"):
        Schemas([tmp_path / "nowhere.json"])


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b'{"input_schema": 5}', b"[" * 100_000])
def test_a_file_that_is_no_schema_is_refused(tmp_path, content):
    path = tmp_path / "s.json"
    path.write_bytes(content)

    with pytest.raises(ManifestInvalid):
        Schemas([path])
