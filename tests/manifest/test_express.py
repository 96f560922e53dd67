"""A row that is a job at first sight is the job that the judge makes of it."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner._types import Job, Place, Problem
from batchrunner.manifest.assemble import Assembler
from batchrunner.manifest.csv_reader import read_blocks, read_csv
from batchrunner.manifest.express import Express
from batchrunner.manifest.head import Head, HeadParser
from batchrunner.manifest.job_block import JobBlock
from batchrunner.manifest.jsonl_reader import read_json_blocks, read_jsonl
from batchrunner.manifest.rows import Block, ColumnBlock, FieldBlock, TableBlock, TableRow
from batchrunner.manifest.yaml_compose import BadYaml
from batchrunner.manifest.yaml_reader import read_outline, read_yaml
from batchrunner.models import Schemas
from tests.laws import tried

SEEDANCE = "bytedance/seedance-1-0/lite/reference-to-video"
URL = "https://images.example.com/a.png"

OTHER = {
    "model_id": "acme/other",
    "input_schema": {
        "properties": {
            "prompt": {"type": "string"},
            "strength": {"type": "number", "minimum": 0, "maximum": 2**64},
            "steps": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "tags": {"type": ["array", "null"], "items": {}},
            "style": {"enum": ["a", 1, True]},
            "hd": {"type": "boolean"},
            "extra": {"type": "object", "properties": {"n": {"type": "integer"}}},
            "code": {"type": "string", "pattern": "^[a-z]+$"},
            "any": {},
        },
        "required": ["prompt"],
    },
}  # fmt: skip

ODD_NAMES = {
    "model_id": "acme/odd",
    "input_schema": {
        "properties": {name: {"type": "string"} for name in ("id", "meta", "input", "meta.a", "b")}
    },
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    for number, entry in enumerate([OTHER, ODD_NAMES]):
        (folder / f"{number}.json").write_text(json.dumps(entry))
    return Schemas(sorted(folder.iterdir()))


def looks(rows, head: Head, schemas: Schemas):
    """Yield what the first and the second look say about each row."""
    express, assembler = Express(head, schemas, SEEDANCE), Assembler(head, schemas, SEEDANCE)
    for row in rows:
        if not isinstance(row, Problem):
            first = express.job(row)
            yield first, list(assembler.jobs(row.as_row() if isinstance(row, TableRow) else row))


def agree(rows, head: Head, schemas: Schemas) -> None:
    for first, second in looks(rows, head, schemas):
        if first is not None:
            assert second == [first]
            assert types_of(first.inputs) == types_of(second[0].inputs)  # 5, 5.0 and True are equal in Python
            assert types_of(first.meta) == types_of(second[0].meta)


def types_of(value):
    if isinstance(value, dict):
        return {name: types_of(inner) for name, inner in value.items()}
    return [types_of(inner) for inner in value] if isinstance(value, list) else type(value)


TEXTS = [
    "", " ", "5", " 5", "-5", "-0", "007", "5.0", "1e3", "1_0", "٥", "true", "no", "null", "a", "x" * 501,
    "[1]", "[1, 2.0]", '["a"]', '{"n": 5.0}', "1|2", "a|b", "a|", "|", "[a|b", "2", "13", "9" * 20, "9" * 400,
    f"{URL}|{URL}", f"{URL} | {URL}", URL, f'["{URL}"]', "http://a.example", "16:9", "a\tb", "{text}", "{{",
    SEEDANCE, "acme/other", "acme/none",
]  # fmt: skip
VALUES = [None, True, 0, 5, 13, 5.0, 0.5, 2**53 + 1, 10**40, [], [5.0], [1, "1"], [URL, URL], [None], {},
          {"n": 5.0}, {"n": 5, "m": None}, {"seed": 5}, {"meta": "x"}, *TEXTS]  # fmt: skip
SEEDANCE_JOB = {"id": "a", "text": "a fox", "images": [URL], "duration": 5, "seed": 7}
OTHER_JOB = {"id": "b", "model": "acme/other", "prompt": "a fox"}
OF_SEEDANCE = ["id", "model", *SEEDANCE_JOB, "ratio", "meta", "meta.a", "input.seed", "input", "sed"]
OF_OTHER = list(OTHER["input_schema"]["properties"])
ODD_JOB = {"id": "c", "model": "acme/odd", "b": "x"}
OF_ODD = ["id", "meta", "input", "meta.a", "input.id", "input.meta", "input.input", "input.meta.a"]
CASES = [
    *((SEEDANCE_JOB, name) for name in OF_SEEDANCE),
    *((OTHER_JOB, name) for name in OF_OTHER),
    *((ODD_JOB, name) for name in OF_ODD),
]
NAMED = pytest.mark.parametrize(("job", "name"), CASES, ids=[f"{job['id']}-{name}" for job, name in CASES])


def read_in_yaml(text: str, schemas: Schemas) -> None:
    stream = io.BytesIO(text.encode())
    outline = read_outline(stream)
    agree(read_yaml(stream, outline, "m"), HeadParser(outline.top, "m").parse(), schemas)


@NAMED
def test_each_value_under_each_name_in_json_lines(schemas, job, name):
    lines = [json.dumps({**job, name: value}) for value in VALUES]

    agree(read_jsonl(io.BytesIO("\n".join(lines).encode()), "m"), Head(), schemas)


@NAMED
@pytest.mark.parametrize("style", [None, "'", '"'], ids=["plain", "single", "double"])
def test_each_value_under_each_name_in_yaml(schemas, job, name, style):
    jobs = [{**job, name: value} for value in VALUES]

    read_in_yaml(yaml.safe_dump({"jobs": jobs}, default_style=style), schemas)


@NAMED
def test_each_text_under_each_name_without_quotes_in_yaml(schemas, job, name):
    """Lists of plain scalars, which a dumper would put in quotes."""
    given = "\n  ".join(f"{key}: {json.dumps(value)}" for key, value in job.items() if key != name)
    plain = [
        "5",
        "-5",
        "007",
        "5.0",
        "no",
        "true",
        "16:9",
        "a",
        URL,
        f"[{URL}]",
        "[5, a]",
        "[no, 'no']",
        "{n: 5.0}",
    ]

    read_in_yaml("\n".join(["jobs:", *(f"- {name}: {text}\n  {given}" for text in plain)]), schemas)


@NAMED
def test_each_text_in_each_column(schemas, job, name):
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [key for key in job if key != name]
    given = ["|".join(job[key]) if key == "images" else job[key] for key in columns]
    writer.writerow([*columns, name])
    writer.writerows([*given, cell] for cell in TEXTS)

    agree(read_csv(io.BytesIO(text.getvalue().encode()), "m"), Head(), schemas)


@NAMED
def test_each_value_as_the_default_of_each_name(schemas, job, name):
    without = {key: value for key, value in job.items() if key != name}
    for value in VALUES:
        read_in_yaml(
            yaml.safe_dump({"defaults": {name: value}, "jobs": [job, without]}, sort_keys=False), schemas
        )


NAMES = st.sampled_from([*OF_SEEDANCE, *OF_OTHER])
ROWS = st.lists(
    st.tuples(
        st.sampled_from([SEEDANCE_JOB, OTHER_JOB]),
        st.dictionaries(NAMES, st.sampled_from(VALUES), max_size=3),
    ).map(lambda pair: pair[0] | pair[1]),
    max_size=3,
)


@tried(0.5)
@given(rows=ROWS)
def test_any_rows_of_json_lines(schemas, rows):
    agree(read_jsonl(io.BytesIO("\n".join(map(json.dumps, rows)).encode()), "m"), Head(), schemas)


@tried(0.5)
@given(
    columns=st.lists(NAMES, max_size=4),
    cells=st.lists(st.lists(st.sampled_from(TEXTS), min_size=4, max_size=4), max_size=3),
)
def test_any_rows_of_csv(schemas, columns, cells):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["text", "images", *columns])
    writer.writerows(["a fox", URL, *row[: len(columns)]] for row in cells)

    agree(read_csv(io.BytesIO(text.getvalue().encode()), "m"), Head(), schemas)


COLUMNS = ["id", "model", "text", "images", "duration", "seed", "meta.a", "prompt", "sizes", "style", "steps"]
LIKELY = ["", "5", "7", "a", "b c", URL, f"{URL} | {URL}", "[1, 2]", "acme/other", SEEDANCE]


@given(
    columns=st.lists(st.sampled_from(COLUMNS), unique=True, min_size=1),
    first=st.lists(st.sampled_from([*LIKELY, *TEXTS]), min_size=11, max_size=11),
    others=st.lists(st.tuples(st.integers(0, 10), st.sampled_from([*LIKELY, *TEXTS])), max_size=6),
)
@example(columns=["id", "text", "images", "seed"], first=["a", "b", URL, "5"] * 3, others=[(1, "c")] * 6)
@example(columns=["prompt", "model", "sizes"], first=["a", "acme/other", "[1]"] * 4, others=[(0, "c")] * 6)
def test_rows_taken_together_are_what_they_are_one_by_one(schemas, columns, first, others):
    """Rows that differ in a cell or two, as those of a manifest do."""
    rows = [first[: len(columns)]]
    for number, cell in others:
        rows.append([cell if at == number else before for at, before in enumerate(rows[-1])])
    text = io.StringIO()
    csv.writer(text).writerows([["ratio", *columns], *(["1:1", *row] for row in rows)])

    for block in read_blocks(io.BytesIO(text.getvalue().encode()), "m"):
        if isinstance(block, TableBlock):
            are_the_same_together(block, Head(), schemas)


@given(
    first=st.dictionaries(NAMES, st.sampled_from(VALUES), max_size=3),
    others=st.lists(st.dictionaries(NAMES, st.sampled_from(VALUES), max_size=1), max_size=5),
    job=st.sampled_from([SEEDANCE_JOB, OTHER_JOB, {**SEEDANCE_JOB, "meta": {"a": "b"}}]),
)
@example(first={}, others=[{}, {"seed": None}, {"ratio": "1:1"}, {"id": "c"}], job=SEEDANCE_JOB)
@example(first={"id": 5}, others=[{"meta": {"a": 1}}, {"meta": {"a": None}}], job=SEEDANCE_JOB)
@example(first={"id": None}, others=[{}], job=SEEDANCE_JOB)
@example(first={"meta": None}, others=[{"meta": 0}, {"meta": ""}], job=SEEDANCE_JOB)
def test_json_lines_taken_together_are_what_they_are_one_by_one(schemas, first, others, job):
    rows = [{**job, **first}]
    for change in others:
        rows.append({**rows[-1], **change})
    text = "\n".join(map(json.dumps, rows)).encode()
    for head in (Head(), a_head("defaults: {duration: 5, meta.a: none}")):
        for block in read_json_blocks(io.BytesIO(text), "m"):
            if isinstance(block, FieldBlock):
                are_the_same_together(block, head, schemas)


@given(
    first=st.dictionaries(NAMES, st.sampled_from(VALUES), max_size=3),
    others=st.lists(st.dictionaries(NAMES, st.sampled_from(VALUES), max_size=1), max_size=5),
    job=st.sampled_from([SEEDANCE_JOB, OTHER_JOB, {**SEEDANCE_JOB, "meta": {"a": "b"}}]),
    style=st.sampled_from([None, '"', "plain"]),
)
@example(first={}, others=[{}, {"seed": None}, {"ratio": "1:1"}, {"id": "c"}], job=SEEDANCE_JOB, style=None)
@example(first={"id": 5}, others=[{"meta": {"a": 1}}, {"meta": {"a": None}}], job=SEEDANCE_JOB, style=None)
@example(first={"steps": "5.0"}, others=[{"steps": 7}, {}], job=OTHER_JOB, style="plain")
@example(first={"sizes": "5"}, others=[{"hd": "true"}, {"any": "1.5"}], job=OTHER_JOB, style="plain")
def test_jobs_of_yaml_taken_together_are_what_they_are_one_by_one(schemas, first, others, job, style):
    rows = [{**job, **first}]
    for change in others:
        rows.append({**rows[-1], **change})
    if style == "plain":  # whatever a dumper would put in quotes
        written = [[f"{name}: {value}\n" for name, value in row.items()] for row in rows]
        text = "".join(f"- {'  '.join(lines)}" for lines in written)
    else:
        text = yaml.safe_dump(rows, default_style=style, allow_unicode=True, width=10**6)
    for top in ("", "defaults: {duration: 5, meta.a: none}\n"):
        stream = io.BytesIO(f"{top}jobs:\n{text}".encode())
        outline = read_outline(stream)
        with suppress(BadYaml):
            for block in read_yaml(stream, outline, "m", block_bytes=2**16):
                if isinstance(block, ColumnBlock):
                    are_the_same_together(block, HeadParser(outline.top, "m").parse(), schemas)


def test_usual_jobs_of_yaml_are_taken_together(schemas):
    first = f"- id: 007\n  text: no\n  images:\n  - {URL}\n  seed: 5\n"
    second = f"- id: 008\n  text: '5'\n  images: [\"{URL}\"]\n  meta:\n    shot: 1\n"
    stream = io.BytesIO(f"jobs:\n{first}{second}".encode())

    (block,) = read_yaml(stream, read_outline(stream), "m", block_bytes=2**16)
    taken = Express(Head(), schemas, SEEDANCE).jobs(block)

    assert taken is not None
    assert [(job.id, job.place.line, job.inputs, job.meta) for job in taken.jobs()] == [
        ("007", 2, {"text": "no", "images": [URL], "seed": 5}, {}),
        ("008", 7, {"text": "5", "images": [URL]}, {"shot": 1}),
    ]


def a_head(top: str) -> Head:
    return HeadParser(read_outline(io.BytesIO(top.encode())).top, "m").parse()


def test_usual_json_lines_are_taken_together(schemas):
    rows = [{**SEEDANCE_JOB, "meta": {"a": 1}}, {**SEEDANCE_JOB, "seed": None, "ratio": "1:1"}]

    (block,) = read_json_blocks(io.BytesIO("\n".join(map(json.dumps, rows)).encode()), "m")

    assert isinstance(Express(Head(), schemas, SEEDANCE).jobs(block), JobBlock)


def are_the_same_together(block: Block, head: Head, schemas: Schemas) -> None:
    together = Express(head, schemas, SEEDANCE).jobs(block)
    if together is None:
        return
    one_by_one = [Express(head, schemas, SEEDANCE).job(row) for row in block.each()]
    assert together.jobs() == one_by_one
    assert [types_of(job.inputs) for job in together.jobs()] == [types_of(job.inputs) for job in one_by_one]


def test_jobs_of_rows_taken_together_share_nothing(schemas):
    content = "id,text,images\n" + "".join(f"{number},a,{URL}\n" for number in range(9))

    (block,) = read_blocks(io.BytesIO(content.encode()), "m")
    jobs = Express(Head(), schemas, SEEDANCE).jobs(block).jobs()

    assert len({id(job.inputs["images"]) for job in jobs}) == len({id(job.meta) for job in jobs}) == 9


# ── the usual rows: the first look is enough, else a big manifest takes hours ──


def first_looks(rows, schemas, head=None) -> list[Job | None]:
    return [first for first, _ in looks(rows, head or Head(), schemas)]


def test_usual_json_lines_need_one_look(schemas):
    lines = [
        SEEDANCE_JOB,
        {**SEEDANCE_JOB, "meta": {"a": [1]}, "ratio": None},
        {**OTHER_JOB, "strength": 0.5},
    ]

    found = first_looks(read_jsonl(io.BytesIO("\n".join(map(json.dumps, lines)).encode()), "m"), schemas)

    assert [job.model for job in found] == [SEEDANCE, SEEDANCE, "acme/other"]
    assert found[1].meta == {"a": [1]}


def test_usual_rows_of_yaml_need_one_look(schemas):
    stream = io.BytesIO(
        f"defaults: {{ratio: 1:1}}\njobs:\n- {{id: 007, text: no, images: [{URL}], seed: 5}}\n".encode()
    )
    outline = read_outline(stream)
    head = HeadParser(outline.top, "m").parse()

    (job,) = first_looks(read_yaml(stream, outline, "m"), schemas, head)

    assert (job.id, job.inputs) == ("007", {"text": "no", "images": [URL], "seed": 5, "ratio": "1:1"})


def test_usual_rows_of_cells_need_one_look(schemas):
    content = f"id,model,text,images,seed,meta.a,prompt\n1,,a,{URL}|{URL},5,x,\n2,acme/other,,,,,b\n"

    found = first_looks(read_csv(io.BytesIO(content.encode()), "m"), schemas)

    assert [(job.id, job.inputs, job.meta) for job in found] == [
        ("1", {"text": "a", "images": [URL, URL], "seed": 5}, {"a": "x"}),
        ("2", {"prompt": "b"}, {}),
    ]
    assert found[1].place == Place(file="m", line=3, row=3)


@pytest.mark.parametrize(
    "top",
    ["matrix: {seed: [1, 2]}", "defaults: {text: 'a {id}'}", "defaults: {images: []}", "model: acme/none"],
)
def test_what_a_head_makes_difficult_is_left_for_the_second_look(schemas, top):
    stream = io.BytesIO(f"{top}\njobs:\n- {{id: a, text: a}}\n".encode())
    outline = read_outline(stream)
    head = HeadParser(outline.top, "m").parse()

    assert first_looks(read_yaml(stream, outline, "m"), schemas, head) == [None]
