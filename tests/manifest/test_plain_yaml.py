"""Jobs read by their lines alone are what libyaml's events make of them, and so is everything around them."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner._types import Problem
from batchrunner.manifest.rows import ColumnBlock, LinedDict, LinedList, Row
from batchrunner.manifest.yaml_compose import BadYaml
from batchrunner.manifest.yaml_reader import read_outline, read_yaml
from tests.laws import tried

NAMES = ["id", "text", "images", "seed", "meta", "meta.a", "b-c", "null", "<<", "'q'", "~", "no", "x" * 70]
PLAIN = [
    "5", "-5", "007", "5.0", "no", "null", "~", "16:9", "a fox, [old]", "a: b", "a #b", "a#b", "a :b", "a:",
    "-", "- a", "--- a", "...", ".inf", "<<", "=", "{a}", "@a", "%a", "*a", "&a b", "!!str a", "!a b", "|",
    ">", "? a", "a\tb", "é", "雨\u3000天", "\ufeffa", "\xa0a", "https://a.example/x?y=1#z", "(a)", "it's",
    'an "owl"', "'", '"', "a\\nb",
]  # fmt: skip
DOUBLE = [
    "a fox", "", "a: b # c", 'a \\"b\\"', "\\n", "\\u00e9", "\\ud83d\\ude00", "\\x41", "\\/", "\\0", "a\tb",
    "é", "  a  ", "\\", "a\n  b", "'", "\\\\", "雨",
]  # fmt: skip
SINGLE = [
    "a fox", "", "it''s", "it's", 'a "b"', "a\\nb", "a\n  b", "  a ", "''", "a # b", "a\tb",
]  # fmt: skip
ITEMS = [
    '"a"', '"a, b"', "'a'", "a", "5", "null", "~", "https://a.example/x", "https://a.example/", "a:b",
    "a: b", "", "[b]", "{c: d}", "*a", "a b", "é", "-5", "-", "?", "a?b", '"\\u0061"', '"a\tb"', "a#b",
    "true",
]  # fmt: skip

SCALARS = (
    st.sampled_from(["", *PLAIN])
    | st.sampled_from(DOUBLE).map('"{}"'.format)
    | st.sampled_from(SINGLE).map("'{}'".format)
)
LISTS = st.tuples(
    st.lists(st.sampled_from(ITEMS), max_size=3), st.sampled_from([",", ", ", " , ", "  ,\t"])
).map(lambda pair: f"[{pair[1].join(pair[0])}]")
USUAL = st.sampled_from(['"a fox"', "5", '["https://a.example/x", "b"]', "a fox", "[a, b]", "", "'it''s'"])
VALUES = st.one_of(USUAL, USUAL, SCALARS, LISTS)
TAILS = st.sampled_from(
    ["", "", "", " ", " # a comment", "# none", "\n", "\n\n# a comment", "\n      more", "\r"]
)
BELOW = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 2, 1, -1]), st.sampled_from(["- ", "- ", "-   ", "k: ", "l: ", ""]), SCALARS
    ),
    min_size=1,
    max_size=3,
)
ODD_FIELDS = st.tuples(
    st.sampled_from([*NAMES[:6], *NAMES[:6], *NAMES]),
    st.sampled_from([": ", ": ", ":  ", ":", " : "]),
    VALUES,
    TAILS,
    st.one_of(st.just([]), st.just([]), BELOW),
)
DASHES = st.sampled_from(["- ", "- ", "- ", "-   ", "-\n", "- &x ", "- {a: b}\n", "-\t"])
ODD_JOBS = st.tuples(DASHES, st.lists(ODD_FIELDS, min_size=1, max_size=4))
BELOW_A_NAME = st.sampled_from(
    [
        [],
        [],
        [(0, "- ", "a"), (0, "- ", '"b"')],
        [(2, "- ", "a"), (2, "- ", "[b]")],
        [(2, "k: ", "5"), (2, "l: ", "")],
    ]
)
PLAIN_FIELDS = st.tuples(
    st.sampled_from(NAMES[:6]),
    st.just(": "),
    USUAL,
    st.sampled_from(["", "", "", " # a", "\n"]),
    BELOW_A_NAME,
)
PLAIN_JOBS = st.tuples(
    st.just("- "), st.lists(PLAIN_FIELDS, min_size=1, max_size=4, unique_by=lambda field: field[0])
)
JOBS = st.lists(st.one_of(PLAIN_JOBS, PLAIN_JOBS, PLAIN_JOBS, ODD_JOBS), max_size=6)
HEADS = st.sampled_from(
    [
        "jobs:\n", "jobs:\n", "", "# c\n\n", "model: x\njobs:\n", "%YAML 1.1\n---\njobs:\n", "---\n",
        "? jobs\n:\n", "\ufeffjobs:\n", "jobs: &j\n", "defaults: &x {a: 1}\njobs:\n", "jobs:\n- &x a\n",
        "jobs:\n-\n  a: b\n",
        "jobs:\n\n# c\n", '"jobs":\n',
    ]
)  # fmt: skip
ENDS = st.sampled_from(
    ["", "", "\n", "...\n", "---\n", "model: y\n", "# end", "\n   ", " x: y\n", "\x07", "*x\n", "- *x\n"]
)


def written(head: str, indent: int, jobs, end: str, line_end: str) -> bytes:
    lines = []
    for dash, fields in jobs:
        lead = " " * indent + dash
        beside = " " * (indent + len(dash.rpartition("\n")[2] or "- "))
        for number, (name, colon, value, tail, below) in enumerate(fields):
            before = beside if number or dash.endswith("\n") else lead
            if not number and dash.endswith("\n"):
                lines.append(lead.rstrip("\n"))
            lines.append(f"{before}{name}{colon}{'' if below else value}{tail}")
            lines += [f"{beside}{' ' * more}{sign}{inner}" for more, sign, inner in below]
    return (head + "".join(f"{line}\n" for line in lines) + end).replace("\n", line_end).encode()


def shape(value):
    """The value with its types and lines."""
    if isinstance(value, LinedDict):
        return [(name, value.lines[name], shape(inner)) for name, inner in value.items()]
    if isinstance(value, LinedList):
        return [*zip(value.lines, map(shape, value), strict=True)]
    return type(value), value


def bare(value):
    """The value with its types."""
    if isinstance(value, dict):
        return {name: bare(inner) for name, inner in value.items()}
    return list(map(bare, value)) if isinstance(value, list) else (type(value), value)


def found_in(content: bytes, block_bytes: int | None = None):
    """Yield what is read, one by one, to the error that ends it."""
    try:
        stream = io.BytesIO(content)
        outline = read_outline(stream)
        yield from outline.troubles
        for found in read_yaml(stream, outline, "m", block_bytes=block_bytes):
            if isinstance(found, ColumnBlock):
                yield from rows_of(found)
            else:
                yield found if isinstance(found, Problem) else (found.place, shape(found.fields))
    except BadYaml as error:
        yield error.line, str(error), error.hint


def rows_of(block: ColumnBlock):
    rows = list(block.each())
    assert [row.place.line for row in rows] == list(block.lines)
    for at, row in enumerate(rows):
        together = {name: values[at] for name, values in block.columns.items() if values[at] is not None}
        one_by_one = {name: value for name, value in row.fields.items() if value is not None}
        assert bare(together) == bare(one_by_one)
        yield row.place, shape(row.fields)


@tried(2)
@given(
    head=HEADS,
    indent=st.sampled_from([2, 2, 0, 1]),
    jobs=JOBS,
    end=ENDS,
    line_end=st.sampled_from(["\n", "\n", "\n", "\r\n"]),
    block_bytes=st.sampled_from([2**16, 2**16, 90, 200]),
)
def test_whatever_is_written_the_quick_way_finds_what_the_careful_one_does(
    head, indent, jobs, end, line_end, block_bytes
):
    content = written(head, indent, jobs, end, line_end)

    assert list(found_in(content, block_bytes)) == list(found_in(content))


@given(
    before=st.lists(VALUES, max_size=2),
    value=VALUES,
    tail=TAILS,
    name=st.sampled_from(NAMES),
    block_bytes=st.sampled_from([2**16, 30]),
)
@example(before=[], value="'a", tail="", name="text", block_bytes=2**16)
def test_one_odd_value_among_plain_ones_changes_nothing_around_it(before, value, tail, name, block_bytes):
    plain = "  - {}: {}\n    seed: 5\n"
    jobs = [plain.format("text", one) for one in before] * 3
    odd = plain.format(name, value + tail)
    content = "jobs:\n" + "".join([*jobs, odd, *jobs, plain.format("text", "a")])

    assert list(found_in(content.encode(), block_bytes)) == list(found_in(content.encode()))


def blocks_in(content: str) -> list[int]:
    """How many jobs each block holds; 0 for a row by itself."""
    stream = io.BytesIO(content.encode())
    found = read_yaml(stream, read_outline(stream), "m", block_bytes=2**16)
    return [len(one.lines) if isinstance(one, ColumnBlock) else 0 for one in found]


URL = "https://images.example.com/a.png"
USUAL_JOBS = {
    "json": f'- id: "a"\n  text: "an \\"old\\" fox"\n  images: ["{URL}", "b"]\n  seed: 5\n',
    "lists_below": f"- id: a\n  text: an old fox, at dawn\n  images:\n  - {URL}\n  - '{URL}'\n  seed: -5\n",
    "notes_below": "- id: a\n  meta:\n    shot: 5\n    by: 'me'\n  images: []\n",
    "other_letters": f"- id: 雨\n  text: ein Füchschen\n  images:\n    - {URL}\n",
    "comments": "# first\n- id: a # the fox\n\n  # second\n  text: fox\n",
}


@pytest.mark.parametrize("job", USUAL_JOBS.values(), ids=USUAL_JOBS)
def test_usual_jobs_are_taken_together(job):
    assert blocks_in("jobs:\n" + job * 3) == [3]
    assert blocks_in("jobs:\n" + "".join(f"  {line}\n" for line in (job * 3).splitlines())) == [3]


def test_jobs_with_other_names_are_taken_together():
    assert blocks_in("- text: a\n  seed: 5\n- text: b\n- id: c\n  seed: 1\n  text: c\n") == [3]


def test_after_an_odd_job_they_are_taken_together_again():
    plain = "- text: a\n  seed: 5\n" * 70

    assert blocks_in(f"{plain}- text: >\n    folded\n- text: c\n{plain}") == [70, 0, 71]


def test_where_hardly_a_job_is_plain_plain_ones_are_no_longer_looked_for_all_the_time():
    taken = blocks_in("- text: a\n- text: |\n    b\n" * 600)

    assert sum(1 for jobs in taken if jobs) < 20


def test_an_error_after_plain_jobs_says_where_the_list_began():
    content = b'jobs:\n  - id: "a"\n  - {a: b}\n    id: "b"\n'

    *_, (line, said, _) = found_in(content, 2**16)

    assert (line, said[-21:]) == (4, "that began on line 2)")


def test_an_alias_after_plain_jobs_means_what_stands_above_them():
    content = "defaults: {meta: &m {a: 1}}\njobs:\n" + "- text: a\n" * 3 + "- text: b\n  meta: *m\n"
    stream = io.BytesIO(content.encode())

    *_, last = read_yaml(stream, read_outline(stream), "m", block_bytes=2**16)

    assert isinstance(last, Row)
    assert (last.place.line, json.dumps(last.fields)) == (6, '{"text": "b", "meta": {"a": "1"}}')
