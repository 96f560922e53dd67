"""Where manifests come from, and in which format."""

from __future__ import annotations

import io
import os
import tracemalloc

import pytest

from batchrunner import errors, manifest
from batchrunner.manifest import read_jobs
from batchrunner.models import Schemas

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
YAML = b"jobs: [{id: a, text: b, images: ['https://a.example/x']}]\n"


def jobs(source, **options):
    return list(read_jobs(source, schemas=Schemas(), model=MODEL, **options))


def test_the_public_names_are_there():
    assert manifest.__all__ == ["NamedManifest", "fingerprint", "read_jobs"]
    assert callable(manifest.fingerprint)


def test_standard_input_needs_its_format():
    with pytest.raises(errors.Usage, match="standard input") as caught:
        read_jobs("-", schemas=Schemas())

    assert caught.value.hint == "add --input-format (yaml, csv, tsv, jsonl)"


@pytest.mark.parametrize("name", ["m.json", "m.txt", "m"])
def test_an_unknown_extension_needs_a_format(name):
    with pytest.raises(errors.Usage) as caught:
        read_jobs(name, schemas=Schemas())

    assert "--input-format" in str(caught.value.hint)


def test_an_unknown_format_is_refused():
    with pytest.raises(errors.Usage, match='"xml" is no input format'):
        read_jobs("m.yaml", input_format="xml", schemas=Schemas())


def test_the_format_given_counts_more_than_the_extension(tmp_path):
    path = tmp_path / "m.json"
    path.write_bytes(YAML)

    assert [job.id for job in jobs(path, input_format="yaml")] == ["a"]


@pytest.mark.parametrize("name", ["nowhere.yaml", "folder.csv"])
def test_a_manifest_that_cannot_be_read_is_missing(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(errors.ManifestMissing, match=name):
        jobs(tmp_path / name)


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("yaml", YAML),
        ("csv", b"id,text,images\na,b,https://a.example/x\n"),
        ("jsonl", b'{"id": "a", "text": "b", "images": ["https://a.example/x"]}\n'),
    ],
)
def test_standard_input_may_be_a_pipe(form, content):
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)

    with os.fdopen(reading, "rb") as stdin:
        (job,) = jobs("-", input_format=form, stdin=stdin)
        assert not stdin.closed

    assert (job.id, job.place.file) == ("a", "<stdin>")


def test_standard_input_stays_open_for_its_owner():
    stdin = io.BytesIO(b"id,text\n")

    jobs("-", input_format="csv", stdin=stdin)

    assert not stdin.closed


def test_jobs_come_one_by_one_without_the_whole_file_in_memory(tmp_path):
    """The first job is there although the file is cut later on."""
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"id": "a", "text": "b", "images": ["https://a.example/x"]}\n' * 3 + b"{")

    assert next(iter(read_jobs(path, schemas=Schemas(), model=MODEL))).id == "a"


def csv_of(rows: int) -> str:
    return "id,text,images\n" + "".join(f"a{n},b,https://a.example/x\n" for n in range(rows))


def yaml_of(rows: int) -> str:
    return "jobs:\n" + "".join(
        f"- {{id: a{n}, text: b, images: ['https://a.example/x']}}\n" for n in range(rows)
    )


@pytest.mark.parametrize(
    ("name", "content_of", "few", "many"), [("m.csv", csv_of, 1500, 6000), ("m.yaml", yaml_of, 200, 2000)]
)
def test_memory_does_not_grow_with_the_manifest(tmp_path, name, content_of, few, many):
    def peak(rows: int) -> int:
        path = tmp_path / name
        path.write_text(content_of(rows))
        tracemalloc.start()
        for _ in read_jobs(path, schemas=Schemas(), model=MODEL):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)  # what is loaded only once

    assert peak(many) < peak(few) + 200_000
