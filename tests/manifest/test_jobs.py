"""What makes a row a job: model, inputs, id, notes."""

from __future__ import annotations

import json

import pytest

from batchrunner.manifest import fingerprint
from batchrunner.models import Schemas

URL = "https://images.example.com/a.png"
ROW = {"text": "a", "images": [URL]}


def rows(*more: dict) -> str:
    return "".join(json.dumps({**ROW, **each}) + "\n" for each in more)


def test_without_any_model_there_is_one_problem(read):
    assert read(rows({}, {"text": "b"}), "m.jsonl", model=None).said == [
        "m.jsonl:1: model: no model: neither the row nor the manifest names one "
        "(write `model:` into the manifest, or give --model)"
    ]


def test_a_model_without_a_schema_is_one_problem_at_its_first_row(read):
    result = read(rows({"model": "acme/a"}, {"model": "acme/a"}, {"model": "acme/b"}), "m.jsonl")

    assert result.said == [
        f'm.jsonl:{line}: model: no input schema for the model "acme/{name}" (give one with '
        "--schema FILE; bundled: bytedance/seedance-1-0/lite/reference-to-video)"
        for line, name in ((1, "a"), (3, "b"))
    ]
    assert result.jobs == []


def test_a_misspelt_model_is_told_which_one_may_be_meant(read):
    meant = "bytedance/seedance-1-0/lite/reference-to-video"

    (said,) = read(rows({"model": meant.replace("video", "vido")}), "m.jsonl").said

    assert said.endswith(f"(did you mean `{meant}`? else give its schema with --schema FILE)")


def test_the_model_of_the_row_comes_before_the_files_and_that_before_the_commands(read, two_models):
    schemas, other = two_models
    seedance = "bytedance/seedance-1-0/lite/reference-to-video"

    result = read(
        f"model: {other}\njobs:\n- {{prompt: a}}\n- {{model: {seedance}, text: b, images: ['{URL}']}}\n",
        schemas=schemas,
        model=seedance,
    )

    assert [job.model for job in result.jobs] == [other, seedance]


@pytest.mark.parametrize("model", ["../../v1/me", "a b", "/a", "a//b", "a?b", "", 5])
def test_what_is_no_model_id_is_refused_whatever_the_schema(read, tmp_path, model):
    schema = tmp_path / "any.json"
    schema.write_text("{}")

    (said,) = read(rows({"model": model}), "m.jsonl", schemas=Schemas([schema])).said

    assert "is no model id such as" in said


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("prompt", "this model calls it `text`"),
        ("image_urls", "this model calls it `images`"),
        ("aspect_ratio", "this model calls it `ratio`"),
        ("promtp", "this model calls it `text`"),
        ("Duration", "did you mean `duration`?"),
    ],
)
def test_an_unknown_input_is_refused_with_the_name_this_model_has_for_it(read, name, hint):
    said = read(rows({name: 5}), "m.jsonl").said

    assert said[0].startswith(f"m.jsonl:1: {name}: ")
    assert said[0].endswith(f"({hint})")


def test_an_unknown_input_that_is_like_nothing_gets_no_wild_guess(read):
    (said,) = read(rows({"fps": 24}), "m.jsonl").said

    assert said.endswith("(it has text, images, resolution, ratio, duration, seed)")


def test_one_typo_is_one_problem(read):
    assert len(read('{"prompt": "a", "images": ["https://a.example/x"]}\n', "m.jsonl").said) == 1


def test_seed_and_input_seed_are_one_input(read):
    assert read(rows({"input": {"seed": 3}}), "m.jsonl").only.inputs["seed"] == 3
    assert read(rows({"seed": 1, "input": {"seed": 3}}), "m.jsonl").said == [
        "m.jsonl:1: input.seed: given twice: as `seed` and as `input.seed`"
    ]


def test_an_input_with_a_reserved_name_is_given_under_input(read, tmp_path):
    schema = tmp_path / "s.json"
    schema.write_text(json.dumps({"properties": {"id": {"type": "integer"}, "meta": {"type": "string"}}}))

    job = read('{"id": "mine", "input": {"id": 7, "meta": "m"}}\n', "m.jsonl", schemas=Schemas([schema])).only

    assert (job.id, job.inputs) == ("mine", {"id": 7, "meta": "m"})


@pytest.mark.parametrize("group", ["meta", "input"])
def test_meta_and_input_are_mappings(read, group):
    assert read(rows({group: [1]}), "m.jsonl").said == [
        f"m.jsonl:1: {group}: [1] is not a mapping of names to values"
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("  ", "an empty id"),
        ("x" * 201, "an id of 201 characters, at most 200 allowed"),
        ("a\tb", 'the id "a\\tb" holds a control character or a line break'),
        ("a\u2028b", "holds a control character or a line break"),
        ("\x1b[31m", "holds a control character or a line break"),
        (1.5, "1.5 is no id: an id is text or a whole number"),
        (True, "true is no id: an id is text or a whole number"),
        (["a"], '["a"] is no id: an id is text or a whole number'),
    ],
)
def test_an_id_is_readable_text(read, written, said):
    (only,) = read(rows({"id": written}), "m.jsonl").said

    assert only.startswith("m.jsonl:1:")
    assert said in only


@pytest.mark.parametrize("written", ["../x", "a/b", "日本 🦊", "x" * 200, "CON", "  a  "])
def test_anything_readable_is_an_id(read, written):
    assert read(rows({"id": written}), "m.jsonl").only.id == written.strip()


def test_a_row_without_an_id_gets_one_from_its_fingerprint(read):
    job = read(rows({}), "m.jsonl").only

    assert job.id == fingerprint(job.model, job.inputs)[:16]


def test_equal_ids_are_left_to_the_caller(read):
    assert [job.id for job in read(rows({"id": "a"}, {"id": "a"}), "m.jsonl").jobs] == ["a", "a"]


def test_a_row_with_several_problems_yields_all_of_them(read):
    row = {"id": "a", "text": "x" * 612, "images": ["/home/me/fox.png"], "seed": 1.5}

    said = read(rows(row), "m.jsonl").said

    assert said == [
        "m.jsonl:1: job 'a' text: 612 characters, at most 500 allowed (shorten it by 112)",
        "m.jsonl:1: job 'a' seed: 1.5 is not a whole number",
        "m.jsonl:1: job 'a' images[0]: \"/home/me/fox.png\": there is no such file "
        "(a path is relative to the file it is written in; an address begins with https://; "
        "local images also need --stage s3://BUCKET/PREFIX)",
    ]


def test_a_schema_in_the_manifest_serves_its_rows(read):
    schema = "{type: object, required: [prompt], properties: {prompt: {type: string, maxLength: 5}}}"

    result = read(f"model: acme/a\nschema: {schema}\njobs:\n- {{prompt: '12345'}}\n- {{prompt: '123456'}}\n")

    assert [job.model for job in result.jobs] == ["acme/a"]
    assert result.said == ["m.yaml:5: prompt: 6 characters, at most 5 allowed (shorten it by 1)"]


def test_a_schema_beside_the_manifest_serves_its_rows(read, tmp_path):
    (tmp_path / "s.json").write_text('{"model_id": "acme/a", "input_schema": {"properties": {"prompt": {}}}}')

    assert read("model: acme/a\nschema: s.json\njobs:\n- {prompt: x}\n").only.inputs == {"prompt": "x"}


@pytest.mark.parametrize("schema", ["nowhere.json", "{type: array}", "[1]"])
def test_a_schema_that_cannot_be_used_is_a_problem_at_its_line(read, schema):
    problem = read(f"model: acme/a\nschema: {schema}\njobs:\n- {{prompt: x}}\n").problems[0]

    assert (problem.place.line, problem.field) == (2, "schema")
