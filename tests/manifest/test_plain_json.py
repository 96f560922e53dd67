"""What is read at first sight is what the strict reader reads; what is not sure is left to that."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchrunner.manifest.plain_json import plain_object, plain_objects
from batchrunner.manifest.strict_json import BadJson, parse_json

NAMES = ['"a"', '"b"', '"\\u0061"', '""', '"a\\""', '":"', '"é"', "a", "5"]
ATOMS = [
    "0", "-0", "5", "-7", "01", "+1", "5.0", "-0.0", "1e3", "1e400", "0.1", "0." + "1" * 400,
    "NaN", "-Infinity",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "-9223372036854775808", "-9223372036854775809", "9" * 300, "9" * 301, "9" * 5000,
    "true", "null", "True", '"x"', '""', '"\\""', '"a\\":1"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\uDC00"',
    '"\\\\"', '"😀"', '"\x7f"', '"\t"', '"\\x"', '"{[', '"[[[[{{{{"', "[" * 80 + "]" * 80,
    "'x'", "", "\ufeff",
]  # fmt: skip
BLANKS = st.sampled_from(["", " ", "\t", "\n", "\r\n", "\x0b", "\u00a0"])


def grown(inner):
    items = st.lists(inner, max_size=3)
    return items.map(lambda texts: f"[{','.join(texts)}]") | objects(inner)


def objects(values):
    pair = st.tuples(st.sampled_from(NAMES), BLANKS, values).map(lambda p: f"{p[0]}{p[1]}:{p[1]}{p[2]}")
    return st.lists(pair, max_size=4).map(lambda pairs: f"{{{','.join(pairs)}}}")


VALUES = st.recursive(st.sampled_from(ATOMS), grown, max_leaves=6)


def strictly(line: str):
    try:
        return parse_json(line.strip())
    except BadJson:
        return None


def shape(value):
    """The value with its types and the order of its names: 5, 5.0 and True are equal in Python."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    return [shape(inner) for inner in value] if isinstance(value, list) else (type(value), value)


def agree(line: str) -> None:
    first = plain_object(line.encode())
    if first is not None:
        assert shape(first) == shape(strictly(line))


@given(objects(VALUES), BLANKS, st.sampled_from(["", "", "x", "{}", ","]))
def test_the_first_look_never_says_anything_else_than_the_strict_reader(text, blank, behind):
    agree(f"{blank}{text}{blank}{behind}")


@pytest.mark.parametrize("atom", ATOMS)
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"n":{}}}'], ids=["alone", "in a list", "inside"])
def test_each_value(atom, around):
    value = around.format(atom)

    agree(f'{{"a":{value}}}')
    agree(f'{{"a":1,"a":{value}}}')


@pytest.mark.parametrize(
    "line",
    ['{"a":1,"a":2}', '{"a":1,"a" :2}', '{"a":1,"\\u0061":2}', '{"b":{"a":1,"a":1}}', '{"b":[{"a":1,"a":1}]}',
     '{"a":"\\"","a":"\\""}', '{"n":18446744073709551616}', '{"n":0.5}', '{"n":NaN}', '{"n":"\\ud83d"}',
     '{"n":' + "[" * 70 + "]" * 70 + "}", "[1]", "5", "", "{"],
)  # fmt: skip
def test_what_may_be_wrong_or_read_in_another_way_gets_the_second_look(line):
    assert plain_object(line.encode()) is None


@pytest.mark.parametrize("line", [b"\xff", b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b"\xef\xbb\xbf{}"])
def test_bytes_that_are_no_text_get_the_second_look(line):
    assert plain_object(line) is None


def test_the_usual_line_needs_no_second_look():
    job = {
        "id": "a",
        "text": "a fox: red",
        "images": ["https://a.example/x"],
        "seed": -5,
        "hd": True,
        "n": None,
    }

    assert plain_object(json.dumps({**job, "meta": {"a": [1, "b"]}}).encode() + b"\n") is not None


LINES = st.lists(
    st.sampled_from(
        ['{"a": 1}', '{"a": "b", "c": ["d"]}', '{"c": ["x"], "a": null}', '{"a": 1, "a": 2}', '{"a": "\\""}',
         '{"a": 1.0}', "[1]", "", '{"a": [[1]]}', '{"m": {"n": "o"}}', '{"m": {"n": {}}}', '{"a":[{}', "{}]}",
         '{"a":[{"b":1}', '{"c":1}]}', '{"x":1},{"y":2}', "{}", '{"a":"x}', '{y"}',
         '{"a":{"b":1}', '{"a":1', '"b":2}',
         ' {"a": 1}', '{"a": 1}\r', '{"a": true}', '{"a": 18446744073709551616}', '{"a": "b"}']
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(max_examples=500)
@given(LINES)
@example(['{"a": 1}', ""])
@example(['{"x":1},{"y":2}', '{"a":"x}', '{y"}'])
@example(['{"x":1},{"y":2}', '{"a":[{"b":1}', '{"c":1}]}'])
def test_many_lines_are_the_objects_that_each_of_them_is_or_nothing_is_said(lines):
    text = "\n".join(lines)

    found = plain_objects(text.encode())

    if found is not None:
        each = text.removesuffix("\n").split("\n")
        assert [shape(row) for row in found.rows] == [shape(parse_json(line.strip())) for line in each]
        for name, values in found.columns.items():
            assert list(values) == [row.get(name) for row in found.rows]
        assert found.columns.keys() == {name for row in found.rows for name in row}


@pytest.mark.parametrize("end", ["", "\n"])
def test_usual_lines_need_no_second_look(end):
    lines = [
        '{"a": "b", "c": ["d"], "m": {"n": 1}}',
        '{"a": "é", "c": [], "m": {}}',
        '{"c": ["d", 1], "e": null}',
    ]

    found = plain_objects(("\n".join(lines) + end).encode())

    assert found is not None
    assert found.columns["c"] == [["d"], [], ["d", 1]]
