"""JSON Lines manifests: one object a line, no surprises."""

from __future__ import annotations

import json

import pytest

GOOD = {"id": "a", "text": "a", "images": ["https://images.example.com/a.png"]}


def line(**more) -> str:
    return json.dumps({**GOOD, **more}) + "\n"


def test_values_are_what_json_says(read):
    job = read(line(seed=5, duration=5.0, meta={"n": "007", "k": 1.5, "deep": {"x": [None]}}), "m.jsonl").only

    assert job.inputs["seed"] == 5
    assert type(job.inputs["duration"]) is int
    assert job.meta == {"n": "007", "k": 1.5, "deep": {"x": [None]}}


def test_text_where_a_number_is_wanted_gets_a_hint(read):
    assert read(line(seed="5"), "m.jsonl").said == [
        "m.jsonl:1: job 'a' seed: \"5\" is not a whole number (write it without quotes)"
    ]


def test_a_number_where_text_is_wanted_gets_a_hint(read):
    assert read(line(text=5), "m.jsonl").said == [
        "m.jsonl:1: job 'a' text: 5 is not text (write it in quotes: \"5\")"
    ]


def test_an_integer_id_becomes_its_digits(read):
    assert read(line(id=7), "m.jsonl").only.id == "7"


def test_crlf_blank_lines_and_a_mark_are_fine(read):
    content = "\ufeff" + line().replace("\n", "\r\n") + "\r\n\n" + line(id="b")

    result = read(content, "m.ndjson")

    assert [(job.id, job.place.line) for job in result.jobs] == [("a", 1), ("b", 4)]


def test_line_separators_of_unicode_are_text(read):
    content = json.dumps({**GOOD, "text": "x\u2028y\u2029z\x85"}, ensure_ascii=False)

    assert read(content, "m.jsonl").only.inputs["text"] == "x\u2028y\u2029z\x85"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "not valid JSON: expecting property name enclosed in double quotes at character 2"),
        ("[1]", "a job is an object such as {...}, not [1]"),
        ("5", "a job is an object such as {...}, not 5"),
        ('{"a": 1, "a": 2}', 'not valid JSON: the name "a" stands twice in one object'),
        ('{"meta": {"a": [{"b": 1, "b": 2}]}}', 'not valid JSON: the name "b" stands twice in one object'),
        ('{"seed": NaN}', "not valid JSON: NaN is no JSON value"),
        ('{"seed": -Infinity}', "not valid JSON: -Infinity is no JSON value"),
        ('{"seed": 1e999}', "not valid JSON: the number 1e999 is beyond all bounds"),
        ('{"seed": ' + "9" * 5000 + "}", "not valid JSON: a number of 5,000 digits, at most 300 allowed"),
        ('{"a": ' + "[" * 100 + "]" * 100 + "}", "not valid JSON: nested more than 64 deep"),
        ('{"a": ' + "[" * 200_000, "not valid JSON: nested more than 64 deep"),
        (r'{"text": "\ud83d"}', "not valid JSON: half a character (\\ud83d alone), which cannot be sent"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_bad_line_is_one_problem_and_the_next_is_read(read, bad, said):
    result = read(f"{bad}\n{line()}", "m.jsonl")

    assert result.said == [f"m.jsonl:1: {said}"]
    assert [job.place.line for job in result.jobs] == [2]


def test_a_whole_character_written_as_two_escapes_is_fine(read):
    assert read(json.dumps({**GOOD, "text": "😀"}), "m.jsonl").only.inputs["text"] == "😀"


def test_invalid_bytes_are_named_by_line(read):
    result = read(b'{"text": "\xff"}\n' + line().encode(), "m.jsonl")

    assert result.said == ["m.jsonl:1: byte 11 of the line (0xff) is not UTF-8 (save the file as UTF-8)"]


def test_a_line_without_end_is_refused_and_the_next_is_read(read):
    result = read(b"x" * (40 * 2**20) + b"\n" + line().encode(), "m.jsonl")

    assert result.said == ["m.jsonl:1: a line of more than 16 MiB is no job"]
    assert [job.place.line for job in result.jobs] == [2]


def test_null_is_absent(read):
    assert read(line(seed=None, id=None), "m.jsonl").only.inputs.keys() == {"text", "images"}
