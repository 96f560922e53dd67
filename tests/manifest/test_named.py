"""An unchanged manifest is recognised, and nothing that could give other jobs goes unnoticed."""

from __future__ import annotations

import json
import os
import threading

import pytest

from batchrunner.manifest import NamedManifest
from batchrunner.models import Schemas

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
ROW = "text,images\na fox,https://images.example.com/a.png\n"
SCHEMA = {"properties": {"text": {"type": "string"}, "images": {"type": "string"}}}


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text(ROW)
    return path


def record_of(named: NamedManifest) -> str | None:
    """What is written down after the manifest was read to its end."""
    list(named.rows())
    return named.record()


def named(path, **flags) -> NamedManifest:
    return NamedManifest(source=str(path), **{"model": MODEL, **flags})


def test_the_same_manifest_is_recognised_in_a_later_run(manifest):
    record = record_of(named(manifest))

    assert named(manifest).is_as(record)


def test_touched_is_not_changed(manifest):
    record = record_of(named(manifest))
    os.utime(manifest, (1, 1))

    assert named(manifest).is_as(record)


def test_an_edit_is_found_although_size_and_time_are_those_of_before(manifest):
    record = record_of(named(manifest))
    before = manifest.stat()
    manifest.write_text(ROW.replace("fox", "fax"))
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert not named(manifest).is_as(record)


def test_a_manifest_that_is_gone_is_not_as_before(manifest):
    record = record_of(named(manifest))
    manifest.unlink()

    assert not named(manifest).is_as(record)


@pytest.mark.parametrize("flags", [{"model": "another/model"}, {"input_format": "tsv"}])
def test_another_flag_makes_it_another_manifest(manifest, flags):
    record = record_of(named(manifest))

    assert not named(manifest, **flags).is_as(record)


def test_the_same_rows_under_another_name_are_read_again(manifest):
    record = record_of(named(manifest))
    copy = manifest.with_name("copy.csv")
    copy.write_text(ROW)

    assert not named(copy).is_as(record)


def test_a_record_of_another_version_is_not_relied_on(manifest):
    written = json.loads(record_of(named(manifest)))
    older = json.dumps({**written, "version": "0.0.9"}, sort_keys=True)

    assert not named(manifest).is_as(older)


def test_a_given_schema_that_changed_is_found(manifest, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    record = record_of(named(manifest, schemas=Schemas([schema])))

    assert named(manifest, schemas=Schemas([schema])).is_as(record)
    schema.write_text(json.dumps({**SCHEMA, "required": ["text"]}))
    assert not named(manifest, schemas=Schemas([schema])).is_as(record)
    assert not named(manifest).is_as(record)


@pytest.mark.parametrize(
    ("name", "head", "before", "after"),
    [
        ("rows.csv", "jobs: rows.csv\n", ROW, ROW.replace("fox", "fax")),
        (
            "schema.json",
            "schema: schema.json\njobs:\n  - text: a\n    images: b\n",
            json.dumps(SCHEMA),
            json.dumps({**SCHEMA, "maxProperties": 9}),
        ),
    ],
)
def test_a_file_that_the_manifest_names_belongs_to_it(tmp_path, name, head, before, after):
    manifest, beside = tmp_path / "jobs.yaml", tmp_path / name
    manifest.write_text(head)
    beside.write_text(before)
    record = record_of(named(manifest))

    assert named(manifest).is_as(record)
    beside.write_text(after)
    assert not named(manifest).is_as(record)
    beside.unlink()
    assert not named(manifest).is_as(record)


def test_a_file_that_changes_while_it_is_read_is_not_written_down(manifest):
    reading = named(manifest)
    rows = reading.rows()
    next(rows)
    manifest.write_text(ROW.replace("fox", "fax"))
    list(rows)

    assert reading.record() is None


def test_standard_input_is_read_every_time():
    named = NamedManifest(source="-", input_format="csv")

    assert named.record() is None
    assert not named.is_as(json.dumps({"files": {}}))


def test_a_pipe_is_read_once_and_every_time(tmp_path):
    pipe = tmp_path / "jobs.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(ROW,))
    writer.start()
    reading = named(pipe)

    assert len(list(reading.rows())) == 1
    writer.join()
    assert reading.record() is None


def test_nothing_is_as_a_manifest_that_was_never_written_down(manifest):
    assert not named(manifest).is_as(None)
