"""What files are called by a folder's pattern: portable, inside the folder, and without end."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.errors import Usage
from batchrunner.files.naming import BadPattern, Layout, Subject, candidates, check_pattern
from batchrunner.names import file_name
from batchrunner.settings import Settings

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"


def subject(id="fox", **inputs) -> Subject:  # noqa: A002 (the word the manifest uses)
    return Subject(id=id, model=MODEL, index=7, row=12, inputs=inputs, meta={"shot": 3, "a.b": True})


def named(pattern: str, one: Subject, n: int = 1, *, sharded: bool = False) -> str:
    layout = Layout(pattern=pattern, sharded=sharded)
    return next(candidates(layout, one, n, "videos", ".mp4", 1)).removeprefix("videos/")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{id}", "fox.mp4"),
        ("{model}/{seed}-{id}", "bytedance_seedance-1-0_lite_reference-to-video/42-fox.mp4"),
        ("{index:04d}-{row}", "0007-12.mp4"),
        ("{meta.shot}-{shot}-{inputs.seed}", "3-3-42.mp4"),
        ("{meta.a.b}", "true.mp4"),
        ("{{x}}-{id}", "{x}-fox.mp4"),
        ("{nothing}/{id}", "none/fox.mp4"),
        ("{ratio}-{id}", "16_9-fox.mp4"),
        ("{text}", "none.mp4"),
    ],
)
def test_fields_are_filled_from_the_job(pattern, name):
    assert named(pattern, subject(seed=42, ratio="16:9", text="  ")) == name


def test_further_outputs_are_numbered_unless_the_pattern_does_it():
    assert named("{id}-x", subject(), 2) == "fox-x.2.mp4"
    assert named("{id}-{n:02d}", subject(), 2) == "fox-02.mp4"


def test_the_plain_pattern_names_files_as_ever():
    for job_id in ("fox", "a/b", "CON", "x" * 300):
        assert named("{id}", subject(job_id)) == file_name(job_id, 1, ".mp4")


def test_a_large_folder_is_spread_by_the_ids_hash():
    assert named("{id}", subject(), sharded=True) == "77/fox.mp4"


@given(
    st.text(max_size=300), st.text(max_size=300), st.integers(1, 20), st.booleans(),
    st.sampled_from(["{id}", "{text}", "{text}/{id}", "a/{text}-{id}/{n}", "{id}{text}.", "-{text}"]),
)  # fmt: skip
def test_no_value_leads_out_of_the_folder_or_makes_a_name_some_system_refuses(id_, text, n, sharded, pattern):
    layout, job = Layout(pattern=pattern, sharded=sharded), subject(id_ or "x", text=text)

    names = list(islice(candidates(layout, job, n, "videos", ".mp4", 5), 4))

    assert len(set(names)) >= 3  # a name that is marked already may come twice
    for name in names:
        first, *parts = name.split("/")
        assert first == "videos"
        assert len(parts) == pattern.count("/") + 1 + sharded
        for part in parts:
            assert part
            assert len(part.encode()) <= 255
            assert not set(part) & set('<>:"\\|?*\0')
            assert part[0] not in "-. "
            assert part[-1] not in ". "


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("film", "no field"),
        ("", "empty"),
        ("../{id}", "only dots"),
        ("/{id}", "empty"),
        ("a//{id}", "empty"),
        ("{id}/", "empty"),
        ("{id", "braces"),
        ("{}", "no field"),
        ("{id!r}", "no field"),
        ("{id:>5}", "take a format"),
        ("{index:999999d}", "take a format"),
        ("/".join(["{id}"] * 9), "more than 8"),
    ],
)
def test_a_text_that_is_no_pattern_is_refused_before_anything_else(pattern, why):
    with pytest.raises(BadPattern, match=why):
        check_pattern(pattern)
    with pytest.raises(Usage, match="--name"):
        Settings(name=pattern)


@pytest.mark.parametrize("layout", [Layout(), Layout(pattern="{seed}/{id}", sharded=True)])
def test_a_layout_is_read_as_it_was_recorded(layout):
    assert Layout.parse(layout.fact()) == layout


def test_a_folder_that_recorded_none_is_plain():
    assert Layout.parse(None) == Layout(pattern="{id}", sharded=False)
