"""Laws of ranges, after RFC 9110."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchrunner.simulator.file_answers import etag_of, serve_file
from batchrunner.simulator.film_order import order_film
from batchrunner.simulator.wire import Answer, Request

ORDER = order_film("a/b/text-to-video", {}, request_id="r", number=1)
FILE = bytes(range(200))


def get(content: bytes = FILE, **headers: str) -> Answer:
    lowered = {name.replace("_", "-"): value for name, value in headers.items()}
    return serve_file(Request(method="GET", path="/f", headers=lowered), content, ORDER)


@settings(deadline=None)  # a busy machine is no failure
@given(content=st.binary(min_size=1, max_size=300), data=st.data())
def test_a_file_fetched_in_any_parts_is_the_same_file(content, data):
    cuts = data.draw(st.lists(st.integers(1, len(content)), unique=True))
    edges = [0, *sorted({*cuts, len(content)})]

    parts = [get(content, range=f"bytes={a}-{b - 1}") for a, b in pairwise(edges)]

    assert b"".join(part.body for part in parts) == content
    assert {part.status for part in parts} == {206}


@settings(deadline=None)  # a busy machine is no failure
@given(content=st.binary(min_size=1, max_size=300), data=st.data())
def test_a_download_that_goes_on_from_any_byte_completes_the_file(content, data):
    have = data.draw(st.integers(0, len(content) - 1))

    rest = get(content, range=f"bytes={have}-", if_range=etag_of(ORDER))

    assert content[:have] + rest.body == content
    assert rest.headers["content-range"] == f"bytes {have}-{len(content) - 1}/{len(content)}"


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-9", 206, FILE[:10]),
        ("bytes=190-999", 206, FILE[190:]),
        ("bytes=-5", 206, FILE[-5:]),
        ("bytes=-999", 206, FILE),
        ("bytes=200-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=9-3", 200, FILE),  # not a valid range: as if it were absent
        ("bytes=0-1,5-6", 200, FILE),
        ("bytes=-", 200, FILE),
        ("lines=0-9", 200, FILE),
        ("nonsense", 200, FILE),
    ],
)
def test_each_form_of_range_is_answered_as_the_standard_says(asked, status, body):
    answer = get(range=asked)

    assert (answer.status, answer.body) == (status, body)


def test_a_range_behind_the_end_tells_the_files_size():
    assert get(range="bytes=200-").headers["content-range"] == "bytes */200"


def test_another_validator_gets_the_whole_file():
    answer = get(range="bytes=10-", if_range='"other"')

    assert (answer.status, answer.body) == (200, FILE)


def test_a_file_says_that_ranges_are_welcome_and_how_to_recognise_it():
    answer = get()

    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == etag_of(ORDER)
