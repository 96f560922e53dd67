"""The same jobs, written in any format, come back as the same jobs."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.manifest import fingerprint, read_jobs
from batchrunner.models import Schemas

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
SCHEMAS = Schemas()

# CSV has no way to write an empty text, and YAML none for control characters: everything else must survive
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"),
    min_size=1,
    max_size=80,
)
ADDRESS = st.text("abc,;|\"'[]()%20äß", min_size=1, max_size=20).map(lambda path: f"https://a.example/{path}")
INPUTS = st.fixed_dictionaries(
    {"text": TEXT, "images": st.lists(ADDRESS, min_size=1, max_size=4)},
    optional={
        "resolution": st.sampled_from(["480p", "720p"]),
        "ratio": st.sampled_from(["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]),
        "duration": st.integers(2, 12),
        "seed": st.integers(-(2**63), 2**63),
    },
)
ID = TEXT.map(str.strip).filter(lambda text: text != "" and not any(c in text for c in "\u2028\u2029"))
ROW = st.tuples(ID, INPUTS, st.dictionaries(st.text("abc", min_size=1, max_size=3), TEXT, max_size=2))
ROWS = st.lists(ROW, min_size=1, max_size=5)


def as_jsonl(rows):
    return "".join(
        json.dumps({"id": i, **inputs, "meta": meta}, ensure_ascii=False) + "\n" for i, inputs, meta in rows
    )


def as_yaml(rows):
    document = {"jobs": [{"id": i, **inputs, "meta": meta} for i, inputs, meta in rows]}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def as_delimited(rows, delimiter):
    columns = ["id", "text", "images", "resolution", "ratio", "duration", "seed", "meta"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    for i, inputs, meta in rows:
        cells = {"id": i, **inputs, "images": json.dumps(inputs["images"]), "meta": json.dumps(meta)}
        writer.writerow(cells)
    return stream.getvalue()


FORMATS = {
    "jsonl": as_jsonl,
    "yaml": as_yaml,
    "csv": lambda rows: as_delimited(rows, ","),
    "tsv": lambda rows: as_delimited(rows, "\t"),
}


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None)
@given(rows=ROWS)
def test_jobs_survive_being_written_and_read(form, rows):
    content = FORMATS[form](rows).encode()

    found = list(read_jobs("-", input_format=form, model=MODEL, schemas=SCHEMAS, stdin=io.BytesIO(content)))

    assert [(job.id, job.inputs, job.meta) for job in found] == rows


@settings(deadline=None)
@given(rows=ROWS)
def test_a_job_has_the_same_fingerprint_whatever_it_was_written_in(rows):
    def fingerprints(form):
        stdin = io.BytesIO(FORMATS[form](rows).encode())
        found = read_jobs("-", input_format=form, model=MODEL, schemas=SCHEMAS, stdin=stdin)
        return [fingerprint(job.model, job.inputs) for job in found]

    assert fingerprints("jsonl") == fingerprints("yaml") == fingerprints("csv") == fingerprints("tsv")
